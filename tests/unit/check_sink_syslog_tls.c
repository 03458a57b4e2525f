/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/syslog_stage.h"

/* ---- TLS ------------------------------------------------------------------------------------------------ */

START_TEST(test_tls)
{
	listen_tls(false);
	begin();
	rig_append_many(&rig, 0, "a", 7, 2000);
	assert_all(&a, 2000, 8000);
	ck_assert_uint_eq(a.frames, 2000);
}
END_TEST

START_TEST(test_tls_client_certificate)
{
	int64_t start = clock_mono(&clock_system);

	listen_tls(true);
	our_certificate(pki.client_cert, pki.client_key);
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run(&rig, 2000, is_up, NULL));
	ck_assert_int_lt(clock_mono(&clock_system) - start, 450); /* the ticket ends the wait */
	assert_all(&a, 100, 5000);
}
END_TEST

START_TEST(test_tls_without_tickets)
{
	listen_tls(true);
	SSL_CTX_set_num_tickets(a.tls, 0);
	our_certificate(pki.client_cert, pki.client_key);
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	assert_all(&a, 100, 5000);
}
END_TEST

/* The oldest that is spoken, with a certificate of ours (1) and without one. */
START_TEST(test_tls_1_2)
{
	listen_tls(_i == 1);
	SSL_CTX_set_max_proto_version(a.tls, TLS1_2_VERSION);
	if (_i == 1)
		our_certificate(pki.client_cert, pki.client_key);
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	assert_all(&a, 100, 5000);
}
END_TEST

/* What is wrong, and what the operator reads. */
static const struct {
	const char *says;
	enum { WRONG_NAME, OTHER_AUTHORITY, EXPIRED, NO_CERTIFICATE, STRANGER, OLD_SERVER, TLS_1_1 } wrong;
	const char *want;
} refusals[] = {
	{ "a certificate for another name", WRONG_NAME, "set tls.server_name" },
	{ "a certificate of an authority that we do not trust", OTHER_AUTHORITY, "tls.ca_file" },
	{ "a certificate that has expired", EXPIRED, "out of its time" },
	{ "a server that wants a certificate of ours", NO_CERTIFICATE, "set tls.certificate_file" },
	{ "a server that does not trust our certificate", STRANGER, "stranger.crt" },
	{ "a server that speaks only an older TLS", OLD_SERVER, "refuses the TLS connection" },
	{ "a server that speaks none but TLS 1.1", TLS_1_1, "refuses the TLS connection" },
};

START_TEST(test_tls_refusal)
{
	listen_tls(refusals[_i].wrong == NO_CERTIFICATE || refusals[_i].wrong == STRANGER);
	switch (refusals[_i].wrong) {
	case WRONG_NAME:
		SSL_CTX_free(a.tls);
		a.tls = pki_server(&pki, pki.named_cert, pki.named_key, 0);
		break;
	case EXPIRED:
		SSL_CTX_free(a.tls);
		a.tls = pki_server(&pki, pki.expired_cert, pki.expired_key, 0);
		break;
	case OTHER_AUTHORITY:
		conf.tls.ca_file = pki.other_ca;
		break;
	case STRANGER:
		our_certificate(pki.stranger_cert, pki.stranger_key);
		break;
	case OLD_SERVER:
		SSL_CTX_set_max_proto_version(a.tls, TLS1_2_VERSION);
		conf.tls.min_version = TLS_VERSION_1_3;
		break;
	case TLS_1_1:
		SSL_CTX_set_security_level(a.tls, 0); /* or OpenSSL does not even offer it */
		SSL_CTX_set_min_proto_version(a.tls, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(a.tls, TLS1_1_VERSION);
		break;
	case NO_CERTIFICATE:
		break;
	}
	begin();
	rig_append_many(&rig, 0, "a", 7, 50);
	ck_assert_msg(rig_run(&rig, 3000, is_refused, NULL), "%s", refusals[_i].says);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_msg(strstr(rig_figures(&rig, "siem").trouble, refusals[_i].want) != NULL, "%s: %s",
	    refusals[_i].says, rig_figures(&rig, "siem").trouble);
	ck_assert_uint_eq(a.frames, 0);
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 50);
	ck_assert_uint_eq(rig_figures(&rig, "siem").accepted, 0);
}
END_TEST

/* The name in the certificate may be another than the one that is connected to, when it is said. */
START_TEST(test_tls_server_name)
{
	listen_tls(false);
	SSL_CTX_free(a.tls);
	a.tls = pki_server(&pki, pki.named_cert, pki.named_key, 0);
	conf.tls.server_name = (char *)"siem.example";
	begin();
	rig_append_many(&rig, 0, "a", 7, 10);
	assert_all(&a, 10, 3000);
}
END_TEST

START_TEST(test_tls_unverified)
{
	listen_tls(false);
	conf.tls.ca_file = pki.other_ca;
	conf.tls.verify = false;
	begin();
	rig_append_many(&rig, 0, "a", 7, 10);
	assert_all(&a, 10, 3000);
}
END_TEST

START_TEST(test_tls_refresh)
{
	listen_tls(true);
	our_certificate(pki.client_cert, pki.client_key);
	begin();
	rig_append_many(&rig, 0, "a", 7, 10);
	assert_all(&a, 10, 3000);
	ck_assert_int_eq(unlink(pki.client_cert), 0);
	delivery_refresh(rig.delivery); /* cannot be read: what was read before is used on */
	receiver_vanish(&a);
	rig_append(&rig, 0, "b", 11, 10);
	assert_all(&a, 11, 5000);
}
END_TEST

/* A file that is not there parks the sink; it works when the file comes. */
START_TEST(test_tls_missing_file)
{
	char away[120];

	listen_tls(false);
	snprintf(away, sizeof(away), "%s.away", pki.ca);
	ck_assert_int_eq(rename(pki.ca, away), 0);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert(rig_figures(&rig, "siem").is_parked);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "siem").trouble, pki.ca));
	ck_assert_int_eq(rename(away, pki.ca), 0);
	assert_all(&a, 1, 5000);
}
END_TEST

/* ---- main ------------------------------------------------------------------------------------------------------ */

int
main(void)
{
	Suite *s = suite_create("sink_syslog_tls");
	TCase *tc = tcase_create("sink_syslog_tls");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_tls);
	tcase_add_test(tc, test_tls_client_certificate);
	tcase_add_test(tc, test_tls_without_tickets);
	tcase_add_loop_test(tc, test_tls_1_2, 0, 2);
	tcase_add_loop_test(tc, test_tls_refusal, 0, (int)ARRAY_LEN(refusals));
	tcase_add_test(tc, test_tls_server_name);
	tcase_add_test(tc, test_tls_unverified);
	tcase_add_test(tc, test_tls_refresh);
	tcase_add_test(tc, test_tls_missing_file);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
