/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/tls.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "daemon/certificates.h"
#include "daemon/secret.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static const char *const versions[] = { "1.2", "1.3", NULL };

#define F(field) offsetof(struct tls_opts, field)
const struct conf_opt tls_options[] = {
	{ .name = "ca_file", .type = CONF_STR, .off = F(ca_file),
	  .help = "PEM file of the authorities that may have issued the server's certificate."
	    " Without it, those of the system." },
	{ .name = "certificate_file", .type = CONF_STR, .off = F(certificate_file),
	  .help = "PEM file of our own certificate, followed by its chain, for servers that ask for one." },
	{ .name = "key_file", .type = CONF_SECRET, .off = F(key_file),
	  .help = "PEM file of that certificate's private key, without a passphrase: an absolute path,"
	    " or the name of a systemd credential." },
	{ .name = "verify", .type = CONF_BOOL, .off = F(verify), .def = "true",
	  .help = "Check the server's certificate and name. Without it anybody on the way can read"
	    " and change all alerts." },
	{ .name = "server_name", .type = CONF_STR, .off = F(server_name),
	  .help = "Name or address that must be in the server's certificate, where it is not the one in"
	    " `servers`." },
	{ .name = "min_version", .type = CONF_CHOICE, .off = F(min_version), .def = "1.2",
	  .choices = versions,
	  .help = "Oldest version of TLS that is spoken." },
	{ .name = NULL },
};
#undef F

bool
tls_check(const struct tls_opts *opts, struct err *err)
{
	const char *const paths[] = { opts->ca_file, opts->certificate_file };
	static const char *const names[] = { "ca_file", "certificate_file" };

	if ((opts->certificate_file != NULL) != (opts->key_file.n > 0))
		return err_set(err, ERR_CONF, "tls: certificate_file and key_file go together;"
		    " %s is missing", opts->certificate_file != NULL ? "key_file" : "certificate_file");
	if (opts->key_file.n > 1)
		return err_set(err, ERR_CONF, "tls: key_file: one file, not %zu", opts->key_file.n);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (paths[i] == NULL)
			continue;
		if (paths[i][0] != '/')
			return err_set(err, ERR_CONF, "tls: %s: %s is not an absolute path",
			    names[i], paths[i]);
		if (!certificates_check(paths[i], err))
			return err_wrap(err, "tls: %s", names[i]);
	}
	return true;
}

/* ---- contexts --------------------------------------------------------------------- */

#define REASON_TEXT 128

static const char *
reason_of(unsigned long code, char text[REASON_TEXT])
{
	const char *reason = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		reason = strerrordesc_np(ERR_GET_REASON(code));
	snprintf(text, REASON_TEXT, "%s", reason != NULL ? reason : "no reason given");
	return text;
}

/* The first error that OpenSSL has to say; all are taken off its list. */
static bool
openssl_error(struct err *err, enum err_kind kind, const char *what, const char *file)
{
	char text[REASON_TEXT];

	(void)reason_of(ERR_get_error(), text);
	ERR_clear_error();
	return err_set(err, kind, "tls: %s %s: %s", what, file, text);
}

/* A key with a passphrase is refused here; without this OpenSSL would ask at the terminal. */
static int
on_passphrase(char *out, int room, int rwflag, void *arg)
{
	(void)out;
	(void)room;
	(void)rwflag;
	*(bool *)arg = true;
	return 0;
}

static EVP_PKEY *
key_read(const char *name, struct err *err)
{
	struct buf secret = BUF_INIT(SECRET_MAX);
	EVP_PKEY *key = NULL;
	bool is_encrypted = false;
	BIO *bio;

	if (!secret_read(name, &secret, err)) {
		(void)err_wrap(err, "tls: key_file");
		goto out;
	}
	bio = BIO_new_mem_buf(secret.p, (int)secret.n);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &is_encrypted);
	BIO_free(bio);
	if (key == NULL && is_encrypted)
		(void)err_set(err, ERR_CONF, "tls: key_file %s is protected by a passphrase;"
		    " give a key without one", name);
	else if (key == NULL)
		(void)openssl_error(err, ERR_CONF, "cannot read key_file", name);
	ERR_clear_error();
out:
	buf_wipe(&secret);
	return key;
}

static bool
context_add_own(SSL_CTX *ctx, const struct tls_opts *opts, struct err *err)
{
	EVP_PKEY *key;
	bool ok;

	if (opts->certificate_file == NULL)
		return true;
	if (SSL_CTX_use_certificate_chain_file(ctx, opts->certificate_file) != 1)
		return openssl_error(err, ERR_CONF, "cannot use certificate_file", opts->certificate_file);
	key = key_read(opts->key_file.v[0], err);
	if (key == NULL)
		return false;
	ok = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	if (!ok)
		return openssl_error(err, ERR_CONF, "the key does not belong to certificate_file",
		    opts->certificate_file);
	return true;
}

static bool
context_add_authorities(SSL_CTX *ctx, const struct tls_opts *opts, struct err *err)
{
	if (opts->ca_file == NULL)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ||
		    openssl_error(err, ERR_CONF, "cannot use the authorities of", "the system");
	return SSL_CTX_load_verify_locations(ctx, opts->ca_file, NULL) == 1 ||
	    openssl_error(err, ERR_CONF, "cannot use ca_file", opts->ca_file);
}

SSL_CTX *
tls_context_new(const struct tls_opts *opts, struct err *err)
{
	static const int oldest[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL) {
		(void)openssl_error(err, ERR_TEMP, "no", "context");
		return NULL;
	}
	(void)SSL_CTX_set_min_proto_version(ctx, oldest[opts->min_version]);
	/* Never SSL_MODE_ENABLE_PARTIAL_WRITE: bufferevent_openssl goes on with the next piece of
	 * its buffer after a write that took only a part of one, and so loses bytes. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* Many receivers close without saying so in TLS first; a reset stays an error. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_verify(ctx, opts->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!context_add_authorities(ctx, opts, err) || !context_add_own(ctx, opts, err)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* ---- sessions ----------------------------------------------------------------------- */

static const char *
name_to_check(const struct tls_opts *opts, const char *host)
{
	return opts->server_name != NULL ? opts->server_name : host;
}

static bool
is_address(const char *name)
{
	unsigned char unused[16];

	return inet_pton(AF_INET, name, unused) == 1 || inet_pton(AF_INET6, name, unused) == 1;
}

SSL *
tls_session_new(SSL_CTX *ctx, const struct tls_opts *opts, const char *host, struct err *err)
{
	const char *name = name_to_check(opts, host);
	SSL *ssl = SSL_new(ctx);
	bool ok = ssl != NULL;

	if (ok && is_address(name))
		ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	else if (ok)
		ok = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
	if (!ok) {
		(void)openssl_error(err, ERR_TEMP, "no session for", name);
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

/* ---- explaining ------------------------------------------------------------------------ */

static void
explain_verify(long result, const struct tls_opts *opts, const char *host, struct err *err)
{
	const char *text = X509_verify_cert_error_string(result);
	const char *name = name_to_check(opts, host);

	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		(void)err_set(err, ERR_AUTH, "the server's certificate is not for %s (%s);"
		    " set tls.server_name to a name that is in it, or give the server one for this name",
		    name, text);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		(void)err_set(err, ERR_AUTH, "the server's certificate is issued by none of the authorities"
		    " in %s (%s); add the authority that issued it, by tls.ca_file",
		    opts->ca_file != NULL ? opts->ca_file : "the system's store", text);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		(void)err_set(err, ERR_AUTH, "the server's certificate is out of its time (%s);"
		    " renew it at the server, or set this machine's clock", text);
		break;
	default:
		(void)err_set(err, ERR_AUTH, "the server's certificate is not accepted (%s)", text);
		break;
	}
}

/* RFC 8446 section 6.2: alerts with which a server refuses what we are, rather than fails. */
static bool
alert_is_refusal(int alert)
{
	static const unsigned char refusals[] = { 40 /* handshake_failure */, 42, 43, 44, 45, 46,
		48 /* unknown_ca */, 49 /* access_denied */, 70 /* protocol_version */,
		71 /* insufficient_security */, 112 /* unrecognized_name */, 115, 116 };

	return alert > 0 && alert < 256 && memchr(refusals, alert, sizeof(refusals)) != NULL;
}

static void
explain_alert(int alert, const struct tls_opts *opts, const char *reason, struct err *err)
{
	bool has_own = opts->certificate_file != NULL;
	bool is_about_ours = (alert >= 42 && alert <= 49) || alert == 116 || alert == 115;

	if (is_about_ours && has_own)
		(void)err_set(err, ERR_AUTH, "the server refuses our certificate %s (%s);"
		    " it must be valid and issued by an authority that the server trusts",
		    opts->certificate_file, reason);
	else if (is_about_ours || (alert == 40 && !has_own))
		(void)err_set(err, ERR_AUTH, "the server refuses us without a certificate of ours (%s);"
		    " set tls.certificate_file and tls.key_file", reason);
	else
		(void)err_set(err, ERR_AUTH, "the server refuses the TLS connection (%s)", reason);
}

bool
tls_explain(const SSL *ssl, const struct tls_opts *opts, const char *host, unsigned long code,
    struct err *err)
{
	char reason[REASON_TEXT];
	long result = SSL_get_verify_result(ssl);
	int alert = ERR_GET_LIB(code) == ERR_LIB_SSL ?
	    ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET : 0;

	if (opts->verify && result != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		explain_verify(result, opts, host, err);
		return true;
	}
	(void)reason_of(code, reason);
	if (alert_is_refusal(alert)) {
		explain_alert(alert, opts, reason, err);
		return true;
	}
	if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
		(void)err_set(err, ERR_TEMP, "the server does not speak TLS here (%s); is it the port for"
		    " TLS?", reason);
	else
		(void)err_set(err, ERR_TEMP, "TLS failed: %s", reason);
	return false;
}
