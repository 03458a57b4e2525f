/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/token_stage.h"

/* ---- assertions ----------------------------------------------------------------------- */

static struct rsa_pair pair, next_pair;
static char token_file[64];
static struct credential proofs[3];

static void
use_certificates(unsigned n)
{
	rsa_pair_make(&pair, dir, "one", 2048, 30, NULL);
	proofs[0] = (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
		.file = pair.cert,
		.key_file = pair.key };
	if (n == 2) {
		rsa_pair_make(&next_pair, dir, "two", 2048, 30, NULL);
		proofs[1] = (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
			.file = next_pair.cert,
			.key_file = next_pair.key };
	}
	app.credentials = proofs;
	app.ncredentials = n;
}

/* exp of the assertion of the newest request. */
static int64_t
claimed_end(void)
{
	const char *jwt = strstr(web_last(w), "&client_assertion=");
	struct jwt_look look;

	ck_assert_ptr_nonnull(jwt);
	ck_assert(jwt_look(str_of(jwt + strlen("&client_assertion=")), &look));
	return look.exp;
}

START_TEST(test_certificate)
{
	struct got g;

	use_certificates(1);
	get(&g);
	ck_assert_msg(g.trouble == TOKEN_OK, "%s", g.err.text);
	ck_assert_ptr_nonnull(strstr(web_last(w),
	    "&grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
	    "client-assertion-type%3Ajwt-bearer&client_assertion=ey"));
	ck_assert_ptr_null(strstr(web_last(w), "client_secret"));
	ck_assert_int_eq(claimed_end(), ticks_to_sec(now.ms) + 300);
}
END_TEST

START_TEST(test_certificate_file_changes)
{
	struct got g;

	use_certificates(1);
	get(&g);
	(void)unlink(pair.key);
	now.ms += 3600 * 1000;
	get(&g); /* nothing to sign with: not even with what was there */
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_int_eq(g.err.kind, ERR_CONF);
	rsa_pair_make(&next_pair, dir, "one", 2048, 30, NULL);
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
}
END_TEST

START_TEST(test_certificate_half_replaced)
{
	struct got g;

	use_certificates(1);
	get(&g);
	rsa_pair_make(&next_pair, dir, "two", 2048, 30, NULL);
	ck_assert_int_eq(rename(next_pair.cert, pair.cert), 0);
	for (int i = 0; i < 2; i++) {
		now.ms += 3600 * 1000;
		get(&g);
		ck_assert_int_eq(g.trouble, TOKEN_OK);
	}
	ck_assert_ptr_nonnull(strstr(logged, "stays in use"));
	ck_assert_ptr_null(strstr(strstr(logged, "stays in use") + 1, "stays in use")); /* once */
	ck_assert_int_eq(rename(next_pair.key, pair.key), 0);
	now.ms += 3600 * 1000;
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
}
END_TEST

START_TEST(test_secret_after_certificate)
{
	struct got g;

	use_certificates(2);
	proofs[2] = secrets[0];
	app.ncredentials = 3;
	service.refused = "client_assertion=";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(web_requests(w), 3);
	now.ms += 3600 * 1000;
	get(&g); /* the one that worked comes first */
	ck_assert_uint_eq(web_requests(w), 4);
}
END_TEST

/* The service's clock is an hour ahead of ours, and it says so. */
START_TEST(test_certificate_and_a_clock_that_is_off)
{
	struct got g;

	use_certificates(2);
	service.refused = "client_assertion=";
	service.refusal_head = "HTTP/1.1 401 Unauthorized\r\nDate: Thu, 01 Jan 1970 01:00:00 GMT\r\n";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_uint_eq(web_requests(w), 3); /* the first twice, by their clock then */
	ck_assert_int_ge(claimed_end(), 3600 + 300 - 1);
	ck_assert_int_le(claimed_end(), 3600 + 300 + 1);
}
END_TEST

START_TEST(test_federated)
{
	struct got g;

	(void)snprintf(token_file, sizeof(token_file), "%s/token", dir);
	proofs[0] = (struct credential){ .kind = CREDENTIAL_FEDERATED, .file = token_file };
	app.credentials = proofs;
	write_secret(token_file, "e30.S3CRET1.c2ln\n");
	(void)chmod(token_file, 0644); /* as an orchestrator leaves it */
	get(&g);
	ck_assert_msg(g.trouble == TOKEN_OK, "%s", g.err.text);
	ck_assert_ptr_nonnull(strstr(web_last(w), "jwt-bearer&client_assertion=e30.S3CRET1.c2ln"));
	write_secret(token_file, "e30.S3CRET2.c2ln");
	now.ms += 3600 * 1000;
	get(&g); /* read at each use */
	ck_assert_ptr_nonnull(strstr(web_last(w), "client_assertion=e30.S3CRET2.c2ln"));
	now.ms += 3600 * 1000;
	write_secret(token_file, "S3CRET but no token");
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_ptr_nonnull(strstr(g.err.text, "holds no token"));
}
END_TEST

static const struct {
	const char *says, *error, *code;
	enum credential_kind kind;
	enum token_trouble trouble;
	const char *text, *text2;
} assertion_refusals[] = {
	{ "the certificate is not registered", "invalid_client", "700027", CREDENTIAL_CERTIFICATE,
	    TOKEN_REFUSED, "not registered with the app", "into certificate_file /" },
	{ "the clock", "invalid_client", "700024", CREDENTIAL_CERTIFICATE, TOKEN_REFUSED, "clock",
	    "" },
	{ "no federated credential", "invalid_client", "700213", CREDENTIAL_FEDERATED, TOKEN_REFUSED,
	    "no federated credential", "federated_token_file /" },
	{ "the same under its older name", "invalid_request", "70021", CREDENTIAL_FEDERATED,
	    TOKEN_REFUSED, "no federated credential", "federated_token_file /" },
	{ "refused without a reason", "invalid_client", "1", CREDENTIAL_FEDERATED, TOKEN_REFUSED,
	    "credentials are refused", "federated_token_file /" },
};

START_TEST(test_assertion_refusal)
{
	struct got g;

	if (assertion_refusals[_i].kind == CREDENTIAL_CERTIFICATE) {
		use_certificates(1);
	} else {
		write_secret(secret_a, "a.b.c");
		proofs[0] =
		    (struct credential){ .kind = CREDENTIAL_FEDERATED, .file = secret_a };
		app.credentials = proofs;
	}
	service.head = "HTTP/1.1 401 Unauthorized\r\n";
	(void)snprintf(service.body, sizeof(service.body), "{\"error\":\"%s\",\"error_codes\":[%s]}",
	    assertion_refusals[_i].error, assertion_refusals[_i].code);
	get(&g);
	ck_assert_msg(g.trouble == assertion_refusals[_i].trouble &&
	        strstr(g.err.text, assertion_refusals[_i].text) != NULL &&
	        strstr(g.err.text, assertion_refusals[_i].text2) != NULL,
	    "%s: %s", assertion_refusals[_i].says, g.err.text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("token_assertion");
	TCase *tc = tcase_create("token_assertion");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_certificate);
	tcase_add_test(tc, test_certificate_file_changes);
	tcase_add_test(tc, test_certificate_half_replaced);
	tcase_add_test(tc, test_secret_after_certificate);
	tcase_add_test(tc, test_certificate_and_a_clock_that_is_off);
	tcase_add_test(tc, test_federated);
	tcase_add_loop_test(tc, test_assertion_refusal, 0, ARRAY_LEN(assertion_refusals));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
