/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/journal/giving.h"
#include "lib/base/str.h"

/*
 * Sinks are a to d, by their numbers 1 to 4, and how they stand with a version is a letter each:
 * G given, R refused, M missed, - nothing said. Of the store: P parked, x let go, - open.
 */
#define SINKS   4
#define OWN     7 /* a type of our own */
#define ANOTHER 3

struct store {
	const char *stand;
	struct place places[SINKS];
};

static const struct place *
place_at(struct store *s, uint32_t sink)
{
	struct place *p = &s->places[sink - 1];

	p->is_parked = s->stand[sink - 1] == 'P';
	return s->stand[sink - 1] != 'x' ? p : NULL;
}

static unsigned
sinks_of(const char *names, uint32_t *out)
{
	unsigned n = 0;

	for (; *names != '\0'; names++)
		out[n++] = (uint32_t)(*names - 'a') + 1;
	return n;
}

static struct given
given_from(const char *text)
{
	static const char hows[] = { [GIVEN] = 'G', [GIVEN_REFUSED] = 'R', [GIVEN_MISSED] = 'M' };
	struct given g = { .n = 0 };

	for (uint32_t i = 0; i < SINKS; i++) {
		const char *how = memchr(hows, text[i], sizeof(hows));

		if (how != NULL)
			given_set(&g, i + 1, (enum given_how)(how - hows));
	}
	return g;
}

/* In the order of the sinks. */
static const char *
text_of(const struct given *g, char out[SINKS + 1])
{
	memcpy(out, "----", SINKS + 1);
	for (unsigned i = 0; i < g->n; i++)
		out[g->sink[i] - 1] = "GRM"[g->how[i]];
	return out;
}

static const struct {
	const char *says;
	enum journal_act act;
	const char *routes, *meant, *stand, *was, *want;
} notes[] = {
	{ "all that it is routed to are given it", JOURNAL_FORWARD, "ab", "ab", "----", "----", "GG--" },
	{ "who had the one before has not got this one", JOURNAL_FORWARD, "a", "a", "----", "GG--", "G---" },
	{ "whose filter leaves it out has it as it had the one before", JOURNAL_FORWARD, "a", "abcd",
	  "----", "-GRM", "GGRM" },
	{ "and is not said to have it where nothing was said", JOURNAL_FORWARD, "a", "ab", "----", "----",
	  "G---" },
	{ "one that is parked misses it", JOURNAL_FORWARD, "ab", "ab", "P---", "----", "MG--" },
	{ "and also where it had the one before", JOURNAL_FORWARD, "a", "a", "P---", "G---", "M---" },
	{ "nothing is said of one that was let go", JOURNAL_FORWARD, "ab", "ab", "x---", "----", "-G--" },
	{ "what is remembered only is given to nobody", JOURNAL_REMEMBER, "ab", "ab", "----", "G-M-",
	  "G-M-" },
	{ "what is repeated is given to its routes besides", JOURNAL_REPEAT, "b", "ab", "----", "G-M-",
	  "GGM-" },
	{ "who missed it has it then", JOURNAL_REPEAT, "c", "c", "----", "G-M-", "G-G-" },
	{ "one that is parked misses what is repeated", JOURNAL_REPEAT, "b", "b", "-P--", "G---", "GM--" },
	{ "but does not lose what it had", JOURNAL_REPEAT, "a", "a", "P---", "G---", "G---" },
};

static void
note(int i, uint8_t type, char out[SINKS + 1])
{
	struct store s = { .stand = notes[i].stand };
	struct given g = given_from(notes[i].was);
	uint32_t meant[SINKS];
	struct journal_page page = { .meant = meant, .nmeant = sinks_of(notes[i].meant, meant) };
	struct journal_entry e = { .type = type };

	e.nroutes = (uint8_t)sinks_of(notes[i].routes, e.route);
	giving_note(&(struct giving){ place_at, &s, 1u << OWN }, &page, &e, notes[i].act, &g);
	(void)text_of(&g, out);
}

START_TEST(test_note)
{
	char got[SINKS + 1];

	note(_i, ANOTHER, got);
	ck_assert_msg(strcmp(got, notes[_i].want) == 0, "%s: got %s, want %s", notes[_i].says, got,
	    notes[_i].want);
}
END_TEST

/* What is of a type of our own is given to a parked one as to any other. */
START_TEST(test_own_types)
{
	char got[SINKS + 1];

	note(_i, OWN, got);
	for (const char *sink = notes[_i].routes; *sink != '\0'; sink++) {
		if (notes[_i].stand[*sink - 'a'] == 'P')
			ck_assert_msg(got[*sink - 'a'] == 'G', "%s: got %s", notes[_i].says, got);
	}
}
END_TEST

static const struct {
	const char *says, *routes, *was, *left;
} lacks[] = {
	{ "who was given it is left out", "abcd", "-G--", "acd" },
	{ "refused and missed are not given", "abcd", "GRM-", "bcd" },
	{ "all have it", "ab", "GG--", "" },
	{ "nobody is asked for", "", "----", "" },
};

START_TEST(test_leave_missing)
{
	struct given g = given_from(lacks[_i].was);
	struct journal_entry e = { .type = ANOTHER };
	uint32_t left[SINKS];
	unsigned n = sinks_of(lacks[_i].left, left);
	enum journal_act act;

	e.nroutes = (uint8_t)sinks_of(lacks[_i].routes, e.route);
	act = giving_leave_missing(&g, &e);
	ck_assert_msg(act == (n > 0 ? JOURNAL_REPEAT : JOURNAL_SKIP), "%s", lacks[_i].says);
	ck_assert_msg(e.nroutes == n && memcmp(e.route, left, n * sizeof(left[0])) == 0, "%s",
	    lacks[_i].says);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("giving");
	TCase *tc = tcase_create("giving");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_note, 0, ARRAY_LEN(notes));
	tcase_add_loop_test(tc, test_own_types, 0, ARRAY_LEN(notes));
	tcase_add_loop_test(tc, test_leave_missing, 0, ARRAY_LEN(lacks));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
