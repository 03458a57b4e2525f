/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pki.h"

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct issuer {
	X509 *cert;
	EVP_PKEY *key;
};

static void
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(e);
	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

static X509 *
certificate(const char *name, EVP_PKEY *key, long days, const struct issuer *by, const char *san)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509 *issuer = by != NULL ? by->cert : cert;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400 * 2);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400 * days);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	extend(cert, issuer, NID_basic_constraints, by != NULL ? "CA:FALSE" : "critical,CA:TRUE");
	if (san != NULL)
		extend(cert, issuer, NID_subject_alt_name, san);
	ck_assert_int_gt(X509_sign(cert, by != NULL ? by->key : key, EVP_sha256()), 0);
	return cert;
}

static void
save_cert(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509(f, cert), 1);
	fclose(f);
}

static void
save_key(const char *path, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(path, "w");
	const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_256_cbc() : NULL;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fchmod(fileno(f), 0600), 0);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, cipher, NULL, 0, NULL, (void *)(uintptr_t)passphrase), 1);
	fclose(f);
}

static struct issuer
authority(const struct pki *p, const char *name, char path[96])
{
	struct issuer ca = { .key = EVP_EC_gen("P-256") };

	ca.cert = certificate(name, ca.key, 30, NULL, NULL);
	snprintf(path, 96, "%s/%s.crt", p->dir, name);
	save_cert(path, ca.cert);
	return ca;
}

static void
issue(const struct pki *p, const struct issuer *by, const char *name, long days, const char *san,
    char cert_path[96], char key_path[96])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certificate(name, key, days, by, san);

	snprintf(cert_path, 96, "%s/%s.crt", p->dir, name);
	snprintf(key_path, 96, "%s/%s.key", p->dir, name);
	save_cert(cert_path, cert);
	save_key(key_path, key, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
issuer_release(struct issuer *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

void
pki_make(struct pki *p)
{
	struct issuer ca, other;

	snprintf(p->dir, sizeof(p->dir), "/tmp/pki.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(p->dir));
	ca = authority(p, "authority", p->ca);
	other = authority(p, "other-authority", p->other_ca);
	issue(p, &ca, "server", 30, "DNS:localhost,IP:127.0.0.1", p->server_cert, p->server_key);
	issue(p, &ca, "named", 30, "DNS:siem.example", p->named_cert, p->named_key);
	issue(p, &ca, "expired", -1, "DNS:localhost,IP:127.0.0.1", p->expired_cert, p->expired_key);
	issue(p, &ca, "client", 30, NULL, p->client_cert, p->client_key);
	issue(p, &other, "stranger", 30, NULL, p->stranger_cert, p->stranger_key);
	issuer_release(&ca);
	issuer_release(&other);
}

void
pki_remove(struct pki *p)
{
	const char *const files[] = { p->ca, p->other_ca, p->server_cert, p->server_key, p->named_cert,
		p->named_key, p->expired_cert, p->expired_key, p->client_cert, p->client_key,
		p->stranger_cert, p->stranger_key };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	(void)rmdir(p->dir);
}

SSL_CTX *
pki_server(const struct pki *p, const char *cert, const char *key, int asks)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), 1);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"t", 1);
	if (asks) {
		ck_assert_int_eq(SSL_CTX_load_verify_locations(ctx, p->ca, NULL), 1);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return ctx;
}

void
rsa_pair_make(struct rsa_pair *p, const char *dir, const char *name, unsigned bits, long days,
    const char *passphrase)
{
	EVP_PKEY *key = bits == 1 ? EVP_EC_gen("P-256") : EVP_RSA_gen(bits);
	X509 *cert = certificate(name, key, days, NULL, NULL);

	snprintf(p->cert, sizeof(p->cert), "%s/%s.crt", dir, name);
	snprintf(p->key, sizeof(p->key), "%s/%s.key", dir, name);
	save_cert(p->cert, cert);
	save_key(p->key, key, passphrase);
	X509_free(cert);
	EVP_PKEY_free(key);
}
