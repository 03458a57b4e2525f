/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_proxy.h"

#include <stdlib.h>

#include "daemon/secret.h"
#include "daemon/settings.h"
#include "lib/base/alloc.h"
#include "lib/policy/no_proxy.h"

static bool
is_direct(const struct proxy_conf *conf, const char *host)
{
	const char *port = strrchr(host, ':'), *bracket = strrchr(host, ']');
	char *name;
	bool is_covered;

	if (conf == NULL || conf->url == NULL)
		return true;
	if (port != NULL && (bracket == NULL || port > bracket))
		name = xstrndup(host, (size_t)(port - host));
	else
		name = xstrdup(host);
	is_covered = no_proxy_covers(conf->no_proxy.v, conf->no_proxy.n, name);
	free(name);
	return is_covered;
}

static bool
read_password(struct fetch_proxy *p, const struct proxy_conf *conf, struct err *err)
{
	struct buf text = BUF_INIT(SECRET_MAX);
	bool ok = secret_read(conf->password_file.v[0], &text, err);

	if (ok && memchr(buf_peek(&text).s, '\0', text.n) != NULL)
		ok = err_set(err, ERR_CONF, "the password in %s has a zero byte",
		    conf->password_file.v[0]);
	if (ok)
		p->password = xstrndup(text.p, text.n);
	buf_wipe(&text);
	return ok || err_wrap(err, "proxy %s", p->place);
}

static const char *
after_scheme(const char *url)
{
	const char *at = strstr(url, "://");

	return at != NULL ? at + 3 : url;
}

bool
fetch_proxy_init(
    struct fetch_proxy *out, const struct proxy_conf *conf, const char *host, struct err *err)
{
	*out = (struct fetch_proxy){ .url = NULL };
	if (is_direct(conf, host))
		return true;
	out->url = xstrdup(conf->url);
	out->place = xstrdup(after_scheme(conf->url));
	out->ca_file = conf->ca_file != NULL ? xstrdup(conf->ca_file) : NULL;
	if (conf->username == NULL)
		return true;
	out->username = xstrdup(conf->username);
	if (read_password(out, conf, err))
		return true;
	fetch_proxy_release(out);
	return false;
}

void
fetch_proxy_release(struct fetch_proxy *p)
{
	if (p->password != NULL)
		explicit_bzero(p->password, strlen(p->password));
	free(p->url);
	free(p->place);
	free(p->username);
	free(p->password);
	free(p->ca_file);
	*p = (struct fetch_proxy){ .url = NULL };
}

/* Empty texts, not none: without them curl asks the environment. */
void
fetch_proxy_setup(CURL *e, const struct fetch_proxy *p)
{
	(void)curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(e, CURLOPT_PROXY, p->url != NULL ? p->url : "");
	if (p->url == NULL)
		return;
	(void)curl_easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	(void)curl_easy_setopt(e, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (p->ca_file != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_PROXY_CAINFO, p->ca_file);
		(void)curl_easy_setopt(e, CURLOPT_PROXY_CAPATH, NULL);
	}
	if (p->username == NULL)
		return;
	(void)curl_easy_setopt(e, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	(void)curl_easy_setopt(e, CURLOPT_PROXYUSERNAME, p->username);
	(void)curl_easy_setopt(e, CURLOPT_PROXYPASSWORD, p->password);
}

static bool
explain_refusal(long status, const struct fetch_proxy *p, const char *host, struct err *err)
{
	enum err_kind kind = ERR_TEMP;

	switch (status) {
	case 407:
		if (p->username == NULL)
			(void)err_set(err, kind,
			    "%s: the proxy %s asks for a user and a password; "
			    "set username and password_file of proxy",
			    host, p->place);
		else
			(void)err_set(err, kind,
			    "%s: the proxy %s refuses user %.80s or the password; "
			    "check username and password_file of proxy",
			    host, p->place, p->username);
		return true;
	case 403:
		(void)err_set(err, kind,
		    "%s: the proxy %s does not allow it (HTTP 403); have it let this host through",
		    host, p->place);
		return true;
	case 502:
	case 503:
	case 504:
		(void)err_set(err, kind, "%s: the proxy %s cannot reach it (HTTP %ld)", host,
		    p->place, status);
		return true;
	}
	(void)err_set(err, kind, "%s: the proxy %s makes no connection to it (HTTP %ld)", host,
	    p->place, status);
	return true;
}

/* Before the proxy has answered, it is the proxy that there is trouble with. */
static const char *
trouble_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "its name cannot be resolved";
	case CURLE_COULDNT_CONNECT:
		return "no connection to it";
	case CURLE_OPERATION_TIMEDOUT:
		return "no answer from it in time";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return "it closed the connection without an answer";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate is refused; check ca_file of proxy";
	case CURLE_PROXY:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return "what it answers is not HTTP; is it a proxy?";
	case CURLE_SSL_CONNECT_ERROR:
		return "no TLS with it; is its url http?";
	case CURLE_SSL_CACERT_BADFILE:
		return "ca_file of proxy cannot be used";
	}
	return NULL;
}

bool
fetch_proxy_explain(
    CURL *easy, CURLcode code, const struct fetch_proxy *p, const char *host, struct err *err)
{
	const char *what = trouble_of(code);
	long status = 0;

	if (p->url == NULL)
		return false;
	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status >= 300)
		return explain_refusal(status, p, host, err);
	if (status != 0 || what == NULL)
		return false;
	(void)err_set(err, code == CURLE_SSL_CACERT_BADFILE ? ERR_CONF : ERR_TEMP,
	    "%s: through the proxy %s: %s", host, p->place, what);
	return true;
}
