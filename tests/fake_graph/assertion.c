/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/assertion.h"
#include "tests/fake_graph/token.h"

#define EXCHANGE "api://AzureADTokenExchange"
#define LEEWAY   5 /* seconds that clocks may differ; Entra allows more */

/* A JWT taken apart; nothing in it is believed yet. */
struct claim {
	struct str signed_part;
	unsigned char signature[1024];
	int signature_len;
	json_t *head, *body;
};

static json_t *
parse(struct str part)
{
	unsigned char text[8192];
	int n = token_base64url(part, text, sizeof(text));

	return n > 0 ? json_loadb((char *)text, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static void
claim_release(struct claim *c)
{
	json_decref(c->head);
	json_decref(c->body);
}

static bool
claim_read(struct claim *c, struct str jwt)
{
	const char *dot1 = jwt.n != 0 ? memchr(jwt.s, '.', jwt.n) : NULL, *dot2;
	const char *end = jwt.s + jwt.n;

	*c = (struct claim){ 0 };
	dot2 = dot1 != NULL ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;
	if (dot2 == NULL)
		return false;
	c->signed_part = (struct str){ jwt.s, (size_t)(dot2 - jwt.s) };
	c->head = parse((struct str){ jwt.s, (size_t)(dot1 - jwt.s) });
	c->body = parse((struct str){ dot1 + 1, (size_t)(dot2 - dot1 - 1) });
	c->signature_len = token_base64url((struct str){ dot2 + 1, (size_t)(end - dot2 - 1) },
	    c->signature, sizeof(c->signature));
	return json_is_object(c->head) && json_is_object(c->body) && c->signature_len > 0;
}

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static bool
is_signed_by(const struct claim *c, EVP_PKEY *key)
{
	const char *alg = text_of(c->head, "alg");
	bool is_pss = strcmp(alg, "PS256") == 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool ok;

	ok = (is_pss || strcmp(alg, "RS256") == 0) && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	     EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(
	         ctx, is_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
	     (!is_pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1) &&
	     EVP_DigestVerify(md, c->signature, (size_t)c->signature_len,
	         (const unsigned char *)c->signed_part.s, c->signed_part.n) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return ok;
}

/* ---- certificates --------------------------------------------------------------------- */

static X509 *
read_certificate(const char *file)
{
	FILE *f = fopen(file, "re");
	X509 *cert = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f != NULL)
		fclose(f);
	ERR_clear_error();
	return cert;
}

/* Whether name of the head is this digest of the certificate. */
static bool
is_thumb(const struct claim *c, const char *name, X509 *cert, const EVP_MD *md)
{
	unsigned char said[64], sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int len = token_base64url(str_of(text_of(c->head, name)), said, sizeof(said));

	return X509_digest(cert, md, sum, &n) == 1 && len == (int)n && memcmp(said, sum, n) == 0;
}

static bool
is_meant(const struct claim *c, X509 *cert)
{
	if (json_object_get(c->head, "x5t#S256") != NULL)
		return is_thumb(c, "x5t#S256", cert, EVP_sha256());
	return is_thumb(c, "x5t", cert, EVP_sha1());
}

/* Signed by a registered certificate that has not ended. */
static int
check_certificate(const struct options *opt, const struct claim *c)
{
	int wrong = 700027;

	for (size_t i = 0; i < opt->ncertificates && wrong != 0; i++) {
		X509 *cert = read_certificate(opt->certificates[i]);

		if (cert != NULL && is_meant(c, cert) &&
		    X509_cmp_current_time(X509_get0_notAfter(cert)) > 0 &&
		    is_signed_by(c, X509_get0_pubkey(cert)))
			wrong = 0;
		X509_free(cert);
	}
	return wrong;
}

/* ---- ids ---------------------------------------------------------------------------------- */

void
assertions_release(struct assertions *m)
{
	for (size_t i = 0; i < m->nseen; i++)
		free(m->seen[i].id);
	free(m->seen);
	*m = (struct assertions){ 0 };
}

/* False when it was there before. Those that ended are forgotten. */
static bool
note_id(struct assertions *m, const char *id, int64_t end, int64_t now)
{
	size_t n = 0;
	bool is_new = true;

	for (size_t i = 0; i < m->nseen; i++) {
		is_new &= strcmp(m->seen[i].id, id) != 0;
		if (m->seen[i].end + LEEWAY < now)
			free(m->seen[i].id);
		else
			m->seen[n++] = m->seen[i];
	}
	m->nseen = n;
	if (!is_new)
		return false;
	m->seen = xreallocarray(m->seen, n + 1, sizeof(*m->seen));
	m->seen[m->nseen++] = (struct seen_id){ xstrdup(id), end };
	return true;
}

/* ---- both kinds ------------------------------------------------------------------------------ */

static int
check_time(const struct claim *c, int64_t now)
{
	const json_t *nbf = json_object_get(c->body, "nbf"), *exp = json_object_get(c->body, "exp");

	if (!json_is_integer(exp) || (nbf != NULL && !json_is_integer(nbf)))
		return 50027;
	if (json_integer_value(exp) + LEEWAY < now ||
	    (nbf != NULL && json_integer_value(nbf) - LEEWAY > now))
		return 700024;
	return 0;
}

static int
check_own(struct assertions *m, const struct options *opt, const struct claim *c, const char *url,
    int64_t now)
{
	const char *id = text_of(c->body, "jti");
	int wrong = check_certificate(opt, c);

	if (wrong == 0 && strcmp(text_of(c->body, "sub"), opt->client_id) != 0)
		wrong = 700021;
	if (wrong == 0 && strcmp(text_of(c->body, "aud"), url) != 0)
		wrong = 700023;
	if (wrong == 0)
		wrong = check_time(c, now);
	if (wrong == 0 && id[0] == '\0')
		wrong = 50027;
	if (wrong == 0 &&
	    !note_id(m, id, json_integer_value(json_object_get(c->body, "exp")), now))
		wrong = 50027;
	return wrong;
}

static int
check_federated(const struct options *opt, const struct claim *c, int64_t now)
{
	FILE *f = opt->federated_key != NULL ? fopen(opt->federated_key, "re") : NULL;
	EVP_PKEY *key = f != NULL ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
	int wrong = 0;

	if (f != NULL)
		fclose(f);
	if (key == NULL || strcmp(text_of(c->body, "iss"), opt->federated_issuer) != 0)
		wrong = 700211;
	else if (strcmp(text_of(c->body, "sub"), opt->federated_subject) != 0)
		wrong = 700213;
	else if (strcmp(text_of(c->body, "aud"), EXCHANGE) != 0)
		wrong = 700212;
	else if (!is_signed_by(c, key))
		wrong = 50013;
	else
		wrong = check_time(c, now);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return wrong;
}

bool
assertion_is_federated(const struct options *opt, struct str jwt)
{
	struct claim c;
	bool is = claim_read(&c, jwt) && strcmp(text_of(c.body, "iss"), opt->client_id) != 0;

	claim_release(&c);
	return is;
}

int
assertion_check(struct assertions *m, const struct options *opt, struct str jwt, const char *url,
    int64_t now)
{
	struct claim c;
	int wrong = 50027;

	if (claim_read(&c, jwt))
		wrong = strcmp(text_of(c.body, "iss"), opt->client_id) == 0
		            ? check_own(m, opt, &c, url, now)
		            : check_federated(opt, &c, now);
	claim_release(&c);
	return wrong;
}
