/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "daemon/intake/token_assertion.h"
#include "daemon/keypair.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/ticks.h"
#include "tests/unit/pki.h"

#define CLIENT "6f0c8a5e-0000-4000-8000-000000000001"
#define URL    "https://login.example/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"

static char dir[] = "/tmp/check_keypair.XXXXXX";
static struct rsa_pair a, b;
static struct keypair k;
static struct err err;

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	rsa_pair_make(&a, dir, "a", 2048, 400, NULL);
	rsa_pair_make(&b, dir, "b", 2048, 400, NULL);
}

static void
teardown(void)
{
	char *command = xasprintf("rm -rf '%s'", dir);

	keypair_release(&k);
	ck_assert_int_eq(system(command), 0);
	free(command);
}

static struct keypair_files
files(const struct rsa_pair *p)
{
	return (struct keypair_files){ .certificate = p->cert, .key = p->key };
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Makes to a copy of from. */
static void
copy(const char *from, const char *to)
{
	char *command = xasprintf("cp -p '%s' '%s'", from, to);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

START_TEST(test_read)
{
	struct keypair_files f = files(&a);
	int64_t ends;

	ck_assert_msg(keypair_read(&k, &f, &err), "%s", err.text);
	ck_assert(certificate_ends(a.cert, &ends, &err));
	ck_assert_int_eq(k.ends, ends);
	ck_assert_int_eq((k.ends - k.begins) / TICKS_SEC, 402 * 86400);
}
END_TEST

START_TEST(test_kept_while_equal)
{
	struct keypair_files f = files(&a);
	const EVP_PKEY *was;

	ck_assert(keypair_read(&k, &f, &err));
	was = k.key;
	ck_assert(keypair_read(&k, &f, &err));
	ck_assert_ptr_eq(k.key, was);
	copy(b.cert, a.cert);
	copy(b.key, a.key);
	ck_assert(keypair_read(&k, &f, &err));
	ck_assert_ptr_ne(k.key, was);
}
END_TEST

START_TEST(test_half_replaced)
{
	struct keypair_files f = files(&a);
	const EVP_PKEY *was;

	ck_assert(keypair_read(&k, &f, &err));
	was = k.key;
	copy(b.cert, a.cert);
	ck_assert(!keypair_read(&k, &f, &err));
	ck_assert_int_eq(err.kind, ERR_TEMP);
	ck_assert_ptr_eq(k.key, was);
	copy(b.key, a.key);
	ck_assert(keypair_read(&k, &f, &err));
}
END_TEST

START_TEST(test_in_one_file)
{
	struct keypair_files f = { .certificate = a.cert };
	char *command = xasprintf("cat '%s' >> '%s'", a.key, a.cert);

	ck_assert_int_eq(chmod(a.cert, 0644), 0);
	ck_assert(!keypair_read(&k, &f, &err)); /* key_file was forgotten: nothing is secret there */
	ck_assert_ptr_nonnull(strstr(err.text, "holds no private key; name its file in key_file"));
	ck_assert_int_eq(system(command), 0);
	ck_assert(!keypair_read(&k, &f, &err)); /* now it is a secret */
	ck_assert_ptr_nonnull(strstr(err.text, "open to everybody"));
	ck_assert_int_eq(chmod(a.cert, 0600), 0);
	ck_assert_msg(keypair_read(&k, &f, &err), "%s", err.text);
	free(command);
}
END_TEST

START_TEST(test_encrypted)
{
	struct rsa_pair c;
	char *passphrase = xasprintf("%s/pass", dir);
	struct keypair_files f;

	rsa_pair_make(&c, dir, "c", 2048, 10, "S3CRET-PASS");
	f = files(&c);
	ck_assert(!keypair_read(&k, &f, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "encrypted one without key_passphrase_file"));
	f.passphrase = passphrase;
	write_file(passphrase, "S3CRET-WRONG\n", 0600);
	ck_assert(!keypair_read(&k, &f, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "passphrase is another"));
	ck_assert_ptr_null(strstr(err.text, "S3CRET"));
	write_file(passphrase, "S3CRET-PASS\n", 0600);
	ck_assert_msg(keypair_read(&k, &f, &err), "%s", err.text);
	write_file(passphrase, "S3CRET-WRONG\n", 0600);
	ck_assert(!keypair_read(&k, &f, &err)); /* a change of the passphrase counts too */
	free(passphrase);
}
END_TEST

static char odd[128];

static const struct {
	const char *says, *text;
	unsigned bits; /* not 0: a key of so many; 1: of another kind */
	bool is_certificate;
	mode_t mode;
	const char *want;
} wrong[] = {
	{ "a key that is short", NULL, 1024, false, 0600, "does not take" },
	{ "a key that is no RSA", NULL, 1, false, 0600, "does not take" },
	{ "a key that others can read", NULL, 2048, false, 0644, "open to everybody" },
	{ "no key", "S3CRET\n", 0, false, 0600, "holds no private key" },
	{ "half a key", "-----BEGIN PRIVATE KEY-----\nMIIS3CRET\n", 0, false, 0600,
	    "holds no private key" },
	{ "no certificate", "S3CRET\n", 0, true, 0644, "holds no certificate" },
	{ "an empty certificate", "", 0, true, 0644, "is empty" },
};

START_TEST(test_wrong)
{
	struct keypair_files f = files(&a);
	struct rsa_pair c;

	(void)snprintf(odd, sizeof(odd), "%s/odd", dir);
	if (wrong[_i].bits != 0) {
		rsa_pair_make(&c, dir, "c", wrong[_i].bits, 10, NULL);
		ck_assert_int_eq(chmod(c.key, wrong[_i].mode), 0);
		f = files(&c);
	} else {
		write_file(odd, wrong[_i].text, wrong[_i].mode);
		if (wrong[_i].is_certificate)
			f.certificate = odd;
		else
			f.key = odd;
	}
	ck_assert_msg(!keypair_read(&k, &f, &err), "%s", wrong[_i].says);
	ck_assert_int_eq(err.kind, ERR_CONF);
	ck_assert_msg(
	    strstr(err.text, wrong[_i].want) != NULL, "%s: %s", wrong[_i].says, err.text);
	ck_assert_ptr_null(strstr(err.text, "S3CRET"));
	ck_assert_ptr_null(k.key);
}
END_TEST

/* ---- assertions ------------------------------------------------------------------------ */

/* The part of a JWT, from malloc. */
static unsigned char *
decode(struct str part, size_t *n)
{
	char *text = xmalloc(part.n + 4);
	unsigned char *out = xmalloc(part.n + 4);
	size_t i = 0;

	for (; i < part.n; i++)
		text[i] = part.s[i] == '-' ? '+' : part.s[i] == '_' ? '/' : part.s[i];
	while (i % 4 != 0)
		text[i++] = '=';
	*n = (size_t)EVP_DecodeBlock(out, (unsigned char *)text, (int)i) - (i - part.n);
	free(text);
	return out;
}

static json_t *
decode_json(struct str part)
{
	size_t n;
	unsigned char *text = decode(part, &n);
	json_t *o = json_loadb((char *)text, n, JSON_REJECT_DUPLICATES, NULL);

	ck_assert_ptr_nonnull(o);
	free(text);
	return o;
}

static void
split(const struct buf *jwt, struct str part[3])
{
	const char *at = jwt->p, *end;

	for (int i = 0; i < 3; i++) {
		end = i < 2 ? strchr(at, '.') : jwt->p + jwt->n;
		ck_assert_ptr_nonnull(end);
		part[i] = (struct str){ at, (size_t)(end - at) };
		at = end + 1;
	}
	ck_assert_ptr_null(memchr(part[2].s, '.', part[2].n));
}

static bool
is_signed(EVP_PKEY *key, const struct buf *jwt, const struct str part[3], int padding)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	size_t n;
	unsigned char *sig = decode(part[2], &n);
	bool ok;

	ck_assert_int_eq(EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32), 1);
	ok = EVP_DigestVerify(md, sig, n, (unsigned char *)jwt->p,
	         (size_t)(part[2].s - 1 - jwt->p)) == 1;
	EVP_MD_CTX_free(md);
	free(sig);
	return ok;
}

static const struct {
	const char *says;
	enum signature signature;
	const char *alg, *thumb, *not_thumb;
	size_t thumb_len;
	int padding, other;
} signatures[] = {
	{ "PS256 with the SHA-256 of the certificate", SIGNATURE_PS256, "PS256", "x5t#S256", "x5t",
	    43, RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING },
	{ "RS256 with its SHA-1", SIGNATURE_RS256, "RS256", "x5t", "x5t#S256", 27,
	    RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING },
};

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(test_assertion)
{
	struct assertion q = { URL, CLIENT, 1800000000, signatures[_i].signature };
	struct keypair_files f = files(&a);
	struct buf jwt = BUF_INIT(8192);
	json_t *head, *body;
	struct str part[3];
	char guid[37];

	ck_assert(keypair_read(&k, &f, &err));
	ck_assert_msg(assertion_sign(&q, &k, &jwt, &err), "%s", err.text);
	split(&jwt, part);
	head = decode_json(part[0]);
	body = decode_json(part[1]);
	ck_assert_str_eq(text_of(head, "alg"), signatures[_i].alg);
	ck_assert_str_eq(text_of(head, "typ"), "JWT");
	ck_assert_uint_eq(strlen(text_of(head, signatures[_i].thumb)), signatures[_i].thumb_len);
	ck_assert_ptr_null(json_object_get(head, signatures[_i].not_thumb));
	ck_assert_str_eq(text_of(body, "aud"), URL);
	ck_assert_str_eq(text_of(body, "iss"), CLIENT);
	ck_assert_str_eq(text_of(body, "sub"), CLIENT);
	ck_assert(guid_parse(str_of(text_of(body, "jti")), guid));
	ck_assert_int_eq(json_integer_value(json_object_get(body, "nbf")), 1800000000);
	ck_assert_int_eq(json_integer_value(json_object_get(body, "iat")), 1800000000);
	ck_assert_int_eq(json_integer_value(json_object_get(body, "exp")), 1800000300);
	ck_assert(is_signed(k.key, &jwt, part, signatures[_i].padding));
	ck_assert(!is_signed(k.key, &jwt, part, signatures[_i].other));
	json_decref(head);
	json_decref(body);
	buf_release(&jwt);
}
END_TEST

START_TEST(test_no_id_twice)
{
	struct assertion q = { URL, CLIENT, 1800000000, SIGNATURE_PS256 };
	struct keypair_files f = files(&a);
	struct buf jwt[2] = { BUF_INIT(8192), BUF_INIT(8192) };
	json_t *body[2];
	struct str part[3];

	ck_assert(keypair_read(&k, &f, &err));
	for (int i = 0; i < 2; i++) {
		ck_assert(assertion_sign(&q, &k, &jwt[i], &err));
		split(&jwt[i], part);
		body[i] = decode_json(part[1]);
	}
	ck_assert_str_ne(text_of(body[0], "jti"), text_of(body[1], "jti"));
	for (int i = 0; i < 2; i++) {
		json_decref(body[i]);
		buf_release(&jwt[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keypair");
	TCase *tc = tcase_create("keypair");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_read);
	tcase_add_test(tc, test_kept_while_equal);
	tcase_add_test(tc, test_half_replaced);
	tcase_add_test(tc, test_in_one_file);
	tcase_add_test(tc, test_encrypted);
	tcase_add_loop_test(tc, test_wrong, 0, ARRAY_LEN(wrong));
	tcase_add_loop_test(tc, test_assertion, 0, ARRAY_LEN(signatures));
	tcase_add_test(tc, test_no_id_twice);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
