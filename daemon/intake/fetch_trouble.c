/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_trouble.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What a failed check means; values of OpenSSL's X509_V_ERR_*, which curl passes through. */
static const struct {
	long result;
	const char *what;
} cert_checks[] = {
	{ 2, "it is signed by an authority that is not known here" }, { 18, "it is self-signed" },
	{ 19, "its chain ends in a self-signed certificate that is not known here" },
	{ 20, "it is signed by an authority that is not known here" },
	{ 21, "it is signed by an authority that is not known here" },
	{ 9, "it is not valid yet; is the clock of this machine right?" },
	{ 10, "it has expired; is the clock of this machine right?" },
	{ 23, "it has been revoked" }, { 62, "it is for another name" },
	{ 0, "it is for another name" }, /* curl's own check, after the chain was found good, */
	{ 1, "it is for another name" }, /* where it has not noted the result yet */
};

static const struct {
	CURLcode code;
	enum err_kind kind;
	const char *what;
} troubles[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_TEMP, "not an HTTP answer" },
	{ CURLE_COULDNT_RESOLVE_PROXY, ERR_TEMP, "the proxy's name cannot be resolved" },
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_TEMP, "the name cannot be resolved" },
	{ CURLE_COULDNT_CONNECT, ERR_TEMP, "no connection" },
	{ CURLE_OPERATION_TIMEDOUT, ERR_TEMP, "no complete answer in time" },
	{ CURLE_SSL_CONNECT_ERROR, ERR_TEMP, "TLS handshake failed (at least TLS 1.2 is needed)" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_CONF,
	    "the file of certificate authorities cannot be used" },
	{ CURLE_GOT_NOTHING, ERR_TEMP, "connection closed without an answer" },
	{ CURLE_PARTIAL_FILE, ERR_TEMP, "answer cut short" },
	{ CURLE_SEND_ERROR, ERR_TEMP, "connection lost while sending" },
	{ CURLE_RECV_ERROR, ERR_TEMP, "connection lost while receiving" },
	{ CURLE_BAD_CONTENT_ENCODING, ERR_TEMP, "compressed body is damaged" },
	{ CURLE_WRITE_ERROR, ERR_TEMP, "body cannot be decoded" },
	{ CURLE_HTTP2, ERR_TEMP, "HTTP/2 error" },
	{ CURLE_HTTP2_STREAM, ERR_TEMP, "HTTP/2 stream reset" },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_TEMP, "not an HTTP answer" },
	{ CURLE_PROXY, ERR_TEMP, "the proxy refused" },
};

/* Many a failure inside curl is one of this process: it has no file descriptor left. */
static int
local_errnum(const struct fetch_trouble *t)
{
	int fd, errnum = t->socket_errnum;

	if (errnum != 0)
		return errnum;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static void
explain_certificate(const struct fetch_trouble *t, struct fetch_reply *reply)
{
	const char *what = "it does not pass the check";
	long result = 0;

	reply->is_refused_tls = true;
	(void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	for (size_t i = 0; i < ARRAY_LEN(cert_checks); i++) {
		if (cert_checks[i].result == result)
			what = cert_checks[i].what;
	}
	(void)err_set(&reply->err, ERR_TEMP,
	    "%s: certificate refused: %s%s%.200s%s (%s); "
	    "%s if your network inspects TLS",
	    t->host, what, t->issuer[0] != '\0' ? ", issued by \"" : "", t->issuer,
	    t->issuer[0] != '\0' ? "\"" : "", t->detail,
	    t->ca_file == NULL ? "set ca_file of the app to the file of your authority"
			       : "check that ca_file of the app holds your authority");
}

static void
explain_code(const struct fetch_trouble *t, struct fetch_reply *reply)
{
	enum err_kind kind = ERR_TEMP;
	const char *what = curl_easy_strerror(t->code);

	for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
		if (troubles[i].code != t->code)
			continue;
		kind = troubles[i].kind;
		what = troubles[i].what;
		break;
	}
	if (t->detail[0] != '\0')
		(void)err_set(&reply->err, kind, "%s: %s (%s)", t->host, what, t->detail);
	else
		(void)err_set(&reply->err, kind, "%s: %s", t->host, what);
}

void
fetch_explain(const struct fetch_trouble *t, struct fetch_reply *reply)
{
	int errnum;

	if (t->code == CURLE_PEER_FAILED_VERIFICATION &&
	    fetch_proxy_explain(t->easy, t->code, t->proxy, t->host, &reply->err))
		return;
	if (t->code == CURLE_PEER_FAILED_VERIFICATION) {
		explain_certificate(t, reply);
		return;
	}
	errnum = local_errnum(t);
	if (errnum != 0)
		(void)err_sys(&reply->err, ERR_TEMP, errnum,
		    "%s: not asked, this machine lacks "
		    "something",
		    t->host);
	else if (!fetch_proxy_explain(t->easy, t->code, t->proxy, t->host, &reply->err))
		explain_code(t, reply);
}
