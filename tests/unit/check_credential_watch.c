/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "daemon/credential_watch.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/kept_log.h"
#include "tests/unit/pki.h"

#define DAY (86400 * TICKS_SEC)

static int64_t wall;
static int64_t
the_wall(const struct clock *c)
{
	(void)c;
	return wall;
}

static int64_t
the_mono(const struct clock *c)
{
	(void)c;
	return ticks_to_ms(wall);
}

static struct clock the_clock = { .mono = the_mono, .wall = the_wall };
static struct engine_env env = { .clock = &the_clock };
static struct expiries *x;
static struct credential_watch *w;
static char dir[] = "/tmp/check_watch.XXXXXX", name[] = "soc", other_name[] = "gov";
static struct rsa_pair pair;
static struct credential credentials[3];
static struct app apps[2];
static struct settings settings;

static void
setup(void)
{
	log_set_writer(keep_log, NULL);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	/* Now is when the certificate of 100 days is made. */
	rsa_pair_make(&pair, dir, "one", 2048, 100, NULL);
	wall = (int64_t)time(NULL) * TICKS_SEC;
	env.timers = timers_new(NULL, &the_clock);
	x = expiries_new(&env);
	w = credential_watch_new(&env, x);
	apps[0] = (struct app){ .name = name, .credentials = credentials };
	apps[1] = (struct app){ .name = other_name };
	settings = (struct settings){ .refs = 1, .apps = apps, .napps = 2 };
}

static void
teardown(void)
{
	char *command = xasprintf("rm -rf '%s'", dir);

	credential_watch_free(w);
	expiries_free(x);
	timers_free(env.timers);
	ck_assert_uint_eq(settings.refs, 1);
	ck_assert_int_eq(system(command), 0);
	free(command);
	log_set_writer(NULL, NULL);
}

static void
have(struct credential c)
{
	credentials[apps[0].ncredentials++] = c;
}

static struct credential
secret(const char *file, int64_t ends)
{
	return (struct credential){ .kind = CREDENTIAL_SECRET, .file = file, .ends = ends };
}

static void
configure(void)
{
	credential_watch_configure(w, &settings);
	(void)timers_run(env.timers);
}

/* Lets hour after hour pass, and says how many lines that gave. */
static unsigned
pass(unsigned days)
{
	unsigned n = 0;

	logged[0] = '\0';
	for (unsigned h = 0; h < days * 24; h++) {
		wall += 3600 * TICKS_SEC;
		(void)timers_run(env.timers);
	}
	for (const char *p = strchr(logged, '\n'); p != NULL; p = strchr(p + 1, '\n'))
		n++;
	return n;
}

static const struct {
	const char *says;
	bool is_secret;
	const char *text;
} kinds[] = {
	{ "a secret by its date", true, "its client secret in /s1 ends in 30 days; make a new one" },
	{ "a certificate by its own", false, "/one.crt ends in 30 days; make a new one, register it" },
};

START_TEST(test_told_once_each)
{
	have(kinds[_i].is_secret ? secret("/s1", wall + 100 * DAY)
	                         : (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
					       .file = pair.cert,
					       .key_file = pair.key });
	configure();
	ck_assert_uint_eq(pass(69), 0);
	ck_assert_uint_eq(pass(2), 1);
	ck_assert_msg(strstr(logged, kinds[_i].text) != NULL, "%s: %s", kinds[_i].says, logged);
	ck_assert_uint_eq(pass(20), 0);
	ck_assert_uint_eq(pass(3), 1); /* 7 days */
	ck_assert_uint_eq(pass(4), 0);
	ck_assert_uint_eq(pass(1), 1); /* 1 day */
	ck_assert_uint_eq(pass(2), 1);
	ck_assert_ptr_nonnull(strstr(logged, "has ended"));
	ck_assert_uint_eq(pass(30), 0);
}
END_TEST

START_TEST(test_replaced_certificate)
{
	have((struct credential){ .kind = CREDENTIAL_CERTIFICATE, .file = pair.cert });
	configure();
	ck_assert_uint_eq(pass(95), 2);
	rsa_pair_make(&pair, dir, "one", 2048, 100 + 365, NULL);
	ck_assert_uint_eq(pass(100), 0);
	ck_assert_int_gt(expiries_at(x, 0)->ends, wall + 200 * DAY);
}
END_TEST

static unsigned told_valid;

static void
count_valid(void *arg, const struct expiry *e, enum expiry_stage stage, int64_t days)
{
	(void)arg;
	(void)e;
	(void)days;
	told_valid += stage == EXPIRY_FAR;
}

/* One that was told to end is replaced: well again at once, without a reload. */
START_TEST(test_renewed_is_told_at_once)
{
	told_valid = 0;
	expiries_listen(x, count_valid, NULL);
	have((struct credential){ .kind = CREDENTIAL_CERTIFICATE, .file = pair.cert });
	configure();
	ck_assert_uint_eq(pass(95), 2);
	rsa_pair_make(&pair, dir, "one", 2048, 100 + 365, NULL);
	for (int i = 0; i < 2; i++) {
		wall += 31 * TICKS_SEC;
		(void)timers_run(env.timers);
	}
	ck_assert_uint_eq(told_valid, 1);
}
END_TEST

/* Half an hour without it, as when somebody replaces it by hand, is no all-clear. */
START_TEST(test_unreadable_for_a_while)
{
	char *away = xasprintf("%s.away", pair.cert);

	expiries_listen(x, count_valid, NULL);
	have((struct credential){ .kind = CREDENTIAL_CERTIFICATE, .file = pair.cert });
	configure();
	ck_assert_uint_eq(pass(95), 2);
	ck_assert_int_eq(rename(pair.cert, away), 0);
	ck_assert_uint_eq(pass(1), 0);
	ck_assert_ptr_nonnull(expiries_at(x, 0));
	ck_assert_int_eq(rename(away, pair.cert), 0);
	ck_assert_uint_eq(pass(1), 0);
	ck_assert_uint_eq(told_valid, 0);
	ck_assert_uint_eq(pass(2), 1); /* 1 day */
	free(away);
}
END_TEST

START_TEST(test_reload_tells_nothing_again)
{
	have(secret("/s1", wall + 20 * DAY));
	configure();
	ck_assert_ptr_nonnull(strstr(logged, "ends in 20 days"));
	logged[0] = '\0';
	configure();
	ck_assert_str_eq(logged, "");
	credentials[0].ends = wall + 5 * DAY;
	configure();
	ck_assert_ptr_nonnull(strstr(logged, "ends in 5 days"));
}
END_TEST

START_TEST(test_another_one_lasts_longer)
{
	have(secret("/s1", wall + 20 * DAY));
	have(secret("/s2", wall + 300 * DAY));
	configure();
	ck_assert_ptr_nonnull(strstr(logged, "/s1 ends in 20 days; it has another one for longer"));
	ck_assert_ptr_null(strstr(logged, "/s2"));
}
END_TEST

START_TEST(test_no_end_known)
{
	have(secret("/s1", 0));
	have((struct credential){ .kind = CREDENTIAL_FEDERATED, .file = "/token" });
	have((struct credential){ .kind = CREDENTIAL_CERTIFICATE, .file = "/nonexistent" });
	configure();
	ck_assert_uint_eq(pass(400), 0);
	ck_assert_ptr_null(expiries_at(x, 0));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("credential_watch");
	TCase *tc = tcase_create("watch");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_told_once_each, 0, ARRAY_LEN(kinds));
	tcase_add_test(tc, test_replaced_certificate);
	tcase_add_test(tc, test_renewed_is_told_at_once);
	tcase_add_test(tc, test_unreadable_for_a_while);
	tcase_add_test(tc, test_reload_tells_nothing_again);
	tcase_add_test(tc, test_another_one_lasts_longer);
	tcase_add_test(tc, test_no_end_known);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
