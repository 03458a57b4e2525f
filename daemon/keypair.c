/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keypair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "daemon/secret.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define RSA_BITS_MIN  2048
#define SIGNATURE_MAX 2048

/* What the files hold. */
struct contents {
	struct buf certificate, key, passphrase;
};

/* A certificate alone may be open to everybody: it is not told to be closed, but what is missing. */
static bool
read_both_in_one(struct contents *c, const char *file, struct err *err)
{
	if (!secret_read_open(file, &c->certificate, err))
		return false;
	if (strstr(c->certificate.p, "PRIVATE KEY-----") == NULL)
		return err_set(err, ERR_CONF,
		    "%.200s holds no private key; name its file in key_file", file);
	return secret_read(file, &c->certificate, err);
}

static bool
read_contents(struct contents *c, const struct keypair_files *f, struct err *err)
{
	bool is_one = f->key == NULL;

	return (is_one ? read_both_in_one(c, f->certificate, err)
	               : secret_read_open(f->certificate, &c->certificate, err)) &&
	       (is_one || secret_read(f->key, &c->key, err)) &&
	       (f->passphrase == NULL || secret_read(f->passphrase, &c->passphrase, err));
}

static void
wipe_contents(struct contents *c)
{
	buf_wipe(&c->certificate);
	buf_wipe(&c->key);
	buf_wipe(&c->passphrase);
}

static void
digest_contents(const struct contents *c, unsigned char sum[32])
{
	const struct buf *all[] = { &c->certificate, &c->key, &c->passphrase };
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		BUG("no SHA-256 in this OpenSSL");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		EVP_DigestUpdate(md, &all[i]->n, sizeof(all[i]->n));
		EVP_DigestUpdate(md, buf_peek(all[i]).s, all[i]->n);
	}
	EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
}

/* OpenSSL's reasons go nowhere: they may quote what they could not read. */
static bool
fail(struct err *err, const char *file, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_CONF, "%.200s %s", file, what);
}

/* ---- the certificate --------------------------------------------------------------- */

static X509 *
parse_certificate(struct str pem)
{
	BIO *in = BIO_new_mem_buf(pem.s, (int)pem.n);
	X509 *cert = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	return cert;
}

static bool
read_time(const ASN1_TIME *t, int64_t *ticks)
{
	struct buf text = BUF_INIT(64);
	struct tm tm;
	bool ok = ASN1_TIME_to_tm(t, &tm) == 1;

	if (ok) {
		buf_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		ok = ticks_parse(buf_peek(&text), ticks);
	}
	buf_release(&text);
	return ok;
}

static bool
look_at(X509 *cert, struct keypair *k)
{
	return X509_digest(cert, EVP_sha1(), k->sha1, NULL) == 1 &&
	       X509_digest(cert, EVP_sha256(), k->sha256, NULL) == 1 &&
	       read_time(X509_get0_notBefore(cert), &k->begins) &&
	       read_time(X509_get0_notAfter(cert), &k->ends);
}

bool
certificate_ends(const char *certificate, int64_t *ends, struct err *err)
{
	struct buf pem = BUF_INIT(SECRET_MAX);
	X509 *cert = NULL;
	bool ok = secret_read_open(certificate, &pem, err);

	if (ok) {
		cert = parse_certificate(buf_peek(&pem));
		ok = (cert != NULL && read_time(X509_get0_notAfter(cert), ends)) ||
		     fail(err, certificate, "holds no certificate (PEM)");
	}
	X509_free(cert);
	buf_wipe(&pem); /* may hold the key, too */
	return ok;
}

/* ---- the key ------------------------------------------------------------------------ */

static int
give_passphrase(char *to, int room, int is_writing, void *arg)
{
	const struct buf *b = arg;

	(void)is_writing;
	if (b->n == 0 || b->n > (size_t)room)
		return -1;
	memcpy(to, b->p, b->n);
	return (int)b->n;
}

static EVP_PKEY *
parse_key(const struct buf *pem, struct buf *passphrase)
{
	BIO *in = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, give_passphrase, passphrase)
	                           : NULL;

	BIO_free(in);
	return key;
}

static bool
check_key(EVP_PKEY *key, const struct keypair_files *f, struct err *err)
{
	const char *file = f->key != NULL ? f->key : f->certificate;

	if (key == NULL)
		return fail(err, file,
		    f->passphrase == NULL
		        ? "holds no private key (PEM), or an encrypted one without "
		          "key_passphrase_file"
		        : "holds no private key (PEM), or its passphrase is another");
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		return fail(err, file,
		    "holds a key that Microsoft Entra does not take; make one of RSA with 2048 "
		    "bits or more");
	return true;
}

/* ---- both ------------------------------------------------------------------------------ */

static bool
parse(struct keypair *k, struct contents *c, const struct keypair_files *f, struct err *err)
{
	X509 *cert = parse_certificate(buf_peek(&c->certificate));
	bool ok = cert != NULL || fail(err, f->certificate, "holds no certificate (PEM)");

	if (ok) {
		k->key = parse_key(f->key != NULL ? &c->key : &c->certificate, &c->passphrase);
		ok = check_key(k->key, f, err);
	}
	if (ok && !look_at(cert, k))
		ok = fail(err, f->certificate, "holds a certificate that makes no sense");
	if (ok && X509_check_private_key(cert, k->key) != 1) {
		(void)fail(err, f->certificate, "");
		ok = err_set(err, ERR_TEMP, "the key of %.200s is not that of the certificate %.200s",
		    f->key != NULL ? f->key : f->certificate, f->certificate);
	}
	X509_free(cert);
	return ok;
}

bool
keypair_read(struct keypair *k, const struct keypair_files *f, struct err *err)
{
	struct contents c = { BUF_INIT(SECRET_MAX), BUF_INIT(SECRET_MAX), BUF_INIT(SECRET_MAX) };
	struct keypair fresh = { 0 };
	bool ok = read_contents(&c, f, err);

	if (ok)
		digest_contents(&c, fresh.content);
	if (ok && (k->key == NULL || memcmp(k->content, fresh.content, sizeof(k->content)) != 0)) {
		ok = parse(&fresh, &c, f, err);
		if (ok) {
			keypair_release(k);
			*k = fresh;
		} else {
			keypair_release(&fresh);
			if (k->key == NULL)
				err->kind = ERR_CONF; /* there is none to go on with */
		}
	}
	wipe_contents(&c);
	return ok;
}

void
keypair_release(struct keypair *k)
{
	EVP_PKEY_free(k->key); /* which overwrites it */
	*k = (struct keypair){ 0 };
}

static bool
set_padding(EVP_PKEY_CTX *ctx, bool is_pss)
{
	if (!is_pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool
keypair_sign(
    const struct keypair *k, bool is_pss, struct str text, struct buf *out, struct err *err)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool ok;

	ok = md != NULL && EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, k->key) == 1 &&
	     set_padding(ctx, is_pss) &&
	     EVP_DigestSign(md, signature, &n, (const unsigned char *)text.s, text.n) == 1;
	EVP_MD_CTX_free(md);
	if (!ok) {
		ERR_clear_error();
		return err_set(err, ERR_CONF, "OpenSSL does not sign with this key");
	}
	buf_add(out, signature, n);
	return true;
}
