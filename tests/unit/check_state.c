/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/intake/state.h"
#include "lib/base/ticks.h"

static const struct {
	const char *says;
	enum token_trouble trouble;
	bool was_read;
	enum tenant_state want;
} tokens[] = {
	{ "no answer", TOKEN_UNREACHABLE, true, TENANT_UNREACHABLE },
	{ "a wrong secret", TOKEN_REFUSED, true, TENANT_REFUSED },
	{ "no consent yet", TOKEN_NOT_ONBOARDED, false, TENANT_NOT_ONBOARDED },
	{ "no consent any more", TOKEN_NOT_ONBOARDED, true, TENANT_CONSENT_WITHDRAWN },
	{ "no such tenant", TOKEN_WRONG_CLOUD, false, TENANT_WRONG_CLOUD },
	{ "no licence", TOKEN_NO_LICENCE, true, TENANT_NO_LICENCE },
	{ "conditional access", TOKEN_BLOCKED, true, TENANT_BLOCKED },
	{ "no sense", TOKEN_GARBLED, true, TENANT_GARBLED },
};

START_TEST(test_token)
{
	enum tenant_state got = state_of_token(tokens[_i].trouble, tokens[_i].was_read);

	ck_assert_msg(got == tokens[_i].want, "%s: %s", tokens[_i].says, tenant_states[got].name);
}
END_TEST

START_TEST(test_forbidden)
{
	ck_assert_int_eq(state_of_forbidden(true, true), TENANT_NO_LICENCE);
	ck_assert_int_eq(state_of_forbidden(true, false), TENANT_NO_LICENCE);
	ck_assert_int_eq(state_of_forbidden(false, false), TENANT_NOT_ONBOARDED);
	ck_assert_int_eq(state_of_forbidden(false, true), TENANT_CONSENT_WITHDRAWN);
}
END_TEST

/* The request began at 1000 s. */
static const struct {
	const char *says;
	int64_t date, took;
	int64_t want;
} clocks[] = {
	{ "the same", 1000, 1, 0 },
	{ "a minute ahead is still fine", 1061, 1, 0 },
	{ "more than a minute ahead", 1062, 1, 61 },
	{ "an hour behind", 1000 - 3600, 1, -3599 },
	{ "a minute behind is still fine", 1000 - 61, 1, 0 },
	{ "more than a minute behind", 1000 - 62, 1, -61 },
	{ "made when the request began, and long on its way", 1000, 300, 0 },
	{ "made at the end of a long wait", 1300, 300, 0 },
	{ "beyond the end of a long wait", 1361, 300, 61 },
};

START_TEST(test_clock)
{
	int64_t began = 1000 * TICKS_SEC;
	int64_t got = state_clock_off(
	    clocks[_i].date * TICKS_SEC, began, began + clocks[_i].took * TICKS_SEC);

	ck_assert_msg(got == clocks[_i].want, "%s: got %lld", clocks[_i].says, (long long)got);
}
END_TEST

START_TEST(test_no_date)
{
	ck_assert_int_eq(state_clock_off(TICKS_NONE, 0, 0), 0);
}
END_TEST

/* Whoever is told of a state is told what to do; what is parked waits, and long. */
START_TEST(test_kind)
{
	const struct tenant_state_kind *k = &tenant_states[_i];
	enum tenant_state state = (enum tenant_state)_i;

	ck_assert_ptr_nonnull(k->name);
	ck_assert_int_eq(state_is_ill(state), k->remedy[0] != '\0');
	if (state_is_parked(state))
		ck_assert(k->base_ms >= 5 * 60 * 1000 && k->cap_ms == 60 * 60 * 1000);
	ck_assert(k->cap_ms >= k->base_ms);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_token, 0, ARRAY_LEN(tokens));
	tcase_add_test(tc, test_forbidden);
	tcase_add_loop_test(tc, test_clock, 0, ARRAY_LEN(clocks));
	tcase_add_test(tc, test_no_date);
	tcase_add_loop_test(tc, test_kind, 0, TENANT_STATES);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
