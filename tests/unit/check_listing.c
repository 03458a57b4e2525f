/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake_stage.h"

/* Who asks what was created in a time is told all of it, once, or why not; and nothing else changes. */

struct count {
	unsigned told, fresh, foreign, unreadable, done;
	char ids[SG_ALERTS][32];
	struct err err; /* of done; kind ERR_NONE: none */
	const struct intake_list *next; /* to ask for when it is done */
};

static unsigned wanted; /* items until has_told() */

static bool
on_listed(void *arg, const struct intake_listed *item)
{
	struct count *c = arg;

	c->told++;
	c->foreign += item->is_foreign;
	c->unreadable += item->is_unreadable;
	for (unsigned i = 0; i < c->fresh; i++) {
		if (item->id.n == strlen(c->ids[i]) && memcmp(item->id.s, c->ids[i], item->id.n) == 0)
			return false;
	}
	ck_assert_uint_lt(c->fresh, SG_ALERTS);
	(void)snprintf(c->ids[c->fresh++], sizeof(c->ids[0]), "%.*s", STR_ARG(item->id));
	return true;
}

static void
on_done(void *arg, const struct err *err)
{
	struct count *c = arg;
	const struct intake_list *next = c->next;

	c->done++;
	c->err = err != NULL ? *err : (struct err){ .kind = ERR_NONE };
	c->next = NULL;
	if (next != NULL)
		ck_assert_msg(intake_list(in, next, &c->err), "%s", c->err.text);
}

static bool
is_done(void *arg)
{
	return ((const struct count *)arg)->done > 0;
}

static bool
has_told(void *arg)
{
	return ((const struct count *)arg)->told >= wanted;
}

static struct intake_list
ask_of(struct count *c, int64_t from, int64_t to)
{
	return (struct intake_list){ .key = streams[0].key, .kind = &stream_kinds[STREAM_ALERTS],
		.from = from, .to = to, .listed = on_listed, .done = on_done, .arg = c };
}

static void
begin(struct count *c, int64_t from, int64_t to)
{
	const struct intake_list ask = ask_of(c, from, to);
	struct err err = { 0 };

	*c = (struct count){ .told = 0 };
	ck_assert_msg(intake_list(in, &ask, &err), "%s", err.text);
	ck_assert_uint_eq(c->told + c->done, 0);
}

static void
end(struct count *c)
{
	ck_assert_msg(run_until(is_done, c, 30000), "%u told\n%s", c->told, logged);
	ck_assert_uint_eq(c->done, 1);
}

static void
list(struct count *c, int64_t from, int64_t to)
{
	begin(c, from, to);
	end(c);
	ck_assert_msg(c->err.kind == ERR_NONE, "%s", c->err.text);
}

static void
expect_error(struct count *c, const char *says)
{
	end(c);
	ck_assert_msg(c->err.kind != ERR_NONE && strstr(c->err.text, says) != NULL, "%s: %s", says,
	    c->err.text);
}

static struct poller *
poller(void)
{
	return TAILQ_FIRST(&in->pollers);
}

/* n of them, a second apart, an hour old; they are read. */
static int64_t
begin_with(unsigned n)
{
	int64_t first = now() - HOUR;

	for (unsigned i = 0; i < n; i++)
		sg_add(&g, 0, first + i * TICKS_SEC);
	start(1);
	wait_polls(0, 2);
	return first;
}

/* ---- all of it ----------------------------------------------------------------------------- */

START_TEST(test_all_of_the_time_and_nothing_else)
{
	int64_t first = begin_with(100);
	uint64_t before = appends();
	int64_t cursor = figures(0).cursor;
	static struct count c;

	list(&c, first + 10 * TICKS_SEC, first + 60 * TICKS_SEC);
	ck_assert_uint_eq(c.fresh, 50);
	list(&c, first - HOUR, first);
	ck_assert_uint_eq(c.fresh, 0);
	list(&c, first, first + 1);
	ck_assert_uint_eq(c.fresh, 1);
	ck_assert_str_eq(c.ids[0], g.t[0].alerts[0].id);
	ck_assert_msg(appends() == before, "nothing of it is stored");
	ck_assert_int_eq(figures(0).cursor, cursor);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_msg(poller()->listing == NULL, "no memory where nobody asks");
}
END_TEST

START_TEST(test_many_on_one_timestamp)
{
	int64_t first = now() - HOUR;
	static struct count c;

	for (int i = 0; i < 300; i++)
		sg_add(&g, 0, first);
	start(1);
	wait_polls(0, 2);
	list(&c, first, first + 1);
	ck_assert_uint_eq(c.fresh, 300);
}
END_TEST

static const struct {
	enum sg_mood mood;
	const char *says;
} ways[] = {
	{ SG_NO_ORDER, "where no order can be had" },
	{ SG_LINKS, "by links" },
	{ SG_401_ONCE, "with another token" },
};

START_TEST(test_however_it_is_listed)
{
	int64_t first = begin_with(55);
	static struct count c;

	g.t[0].mood = ways[_i].mood;
	list(&c, first, first + HOUR);
	ck_assert_msg(c.fresh == 55, "%s: %u", ways[_i].says, c.fresh);
}
END_TEST

START_TEST(test_what_is_odd_is_said)
{
	int64_t first = begin_with(3);
	static struct count c;

	g.t[0].alerts[1].tenant_id = sg_tenant_id(5);
	g.t[0].extra = "{\"id\":\"odd\",\"title\":7,\"createdDateTime\":[]}";
	list(&c, first, first + HOUR);
	ck_assert_uint_eq(c.fresh, 4);
	ck_assert_uint_ge(c.foreign, 1);
	ck_assert_uint_ge(c.unreadable, 1);
}
END_TEST

START_TEST(test_live_reading_goes_on)
{
	int64_t first = begin_with(60);
	static struct count c;
	uint64_t polls;

	tenants[0].overlap_ms = 0;
	g.t[0].delay_ms = 50;
	begin(&c, first, first + HOUR);
	wanted = 20;
	ck_assert(run_until(has_told, &c, 30000));
	polls = figures(0).polls;
	wait_polls(0, polls + 2);
	ck_assert_msg(c.done == 0, "it has not waited for the count");
	end(&c);
	ck_assert_uint_eq(c.fresh, 60);
}
END_TEST

/* ---- who asks -------------------------------------------------------------------------------- */

START_TEST(test_one_at_a_time_and_again_from_its_end)
{
	int64_t first = begin_with(30);
	static struct count c, other;
	struct intake_list ask = ask_of(&other, first, first + HOUR);
	struct err err = { 0 };

	begin(&c, first, first + HOUR);
	ck_assert(!intake_list(in, &ask, &err));
	ck_assert_int_eq(err.kind, ERR_TEMP);
	c.next = &ask;
	end(&c);
	end(&other);
	ck_assert_uint_eq(c.fresh, 30);
	ck_assert_uint_eq(other.fresh, 30);
}
END_TEST

START_TEST(test_what_is_cancelled_is_told_nothing_more)
{
	int64_t first = begin_with(100);
	static struct count c, next;
	unsigned told;

	g.t[0].delay_ms = 20;
	begin(&c, first, first + HOUR);
	wanted = 10;
	ck_assert(run_until(has_told, &c, 30000));
	(void)run_until(never, NULL, 10); /* the next page is on its way, mostly */
	intake_list_cancel(in, &c);
	told = c.told;
	list(&next, first + 50 * TICKS_SEC, first + 70 * TICKS_SEC);
	ck_assert_uint_eq(next.fresh, 20);
	ck_assert_uint_eq(c.told, told);
	ck_assert_uint_eq(c.done, 0);
	begin(&c, first, first + HOUR);
	intake_list_cancel(in, &c);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_uint_eq(c.told + c.done, 0);
}
END_TEST

/* ---- what cannot be listed --------------------------------------------------------------------- */

static const char *
is_full(void *arg, const struct tenant *t)
{
	(void)t;
	return arg;
}

static void
hold(void)
{
	(void)intake_hold(in, tenants[0].name, true);
}

static void
fill(void)
{
	intake_on_full(in, is_full, (void *)"out");
}

static void
shut(void)
{
	journal_mem_force(j, JOURNAL_PAUSED);
	for (int i = 0; i < 60 && journal_state(j) == JOURNAL_OK; i++)
		(void)run_until(never, NULL, 50);
}

static void
forbid(void)
{
	g.t[0].mood = SG_403;
}

static void
park(void)
{
	forbid();
	wait_state(0, TENANT_NO_LICENCE);
}

static void
remove_it(void)
{
	settings.tenants = &tenants[1];
	intake_configure(in, &settings);
}

static void
stop(void)
{
	intake_leave_out(in, tenants[0].key);
}

static void
ignore(void *arg)
{
	(void)arg;
}

static void
stop_all(void)
{
	intake_stop(in, ignore, NULL);
}

static const struct {
	void (*before)(void); /* one asks */
	void (*meanwhile)(void);
	const char *says;
} reasons[] = {
	{ hold, hold, "paused by an operator" },
	{ fill, fill, "until sink out has taken" },
	{ shut, shut, "the journal takes nothing" },
	{ park, forbid, "licence" },
	{ remove_it, remove_it, "not read any more" },
	{ stop, stop, "not read any more" },
	{ stop_all, NULL, "stopping" },
};

START_TEST(test_why_not)
{
	static struct count c;
	int64_t first = begin_with(10);
	struct intake_list ask = ask_of(&c, first, first + HOUR);
	struct err err = { 0 };

	reasons[_i].before();
	ck_assert(!intake_list(in, &ask, &err));
	ck_assert_msg(strstr(err.text, reasons[_i].says) != NULL, "%s: %s", reasons[_i].says, err.text);
	ck_assert_int_eq(err.kind, ERR_TEMP);
	(void)run_until(never, NULL, 100);
	ck_assert_uint_eq(c.told + c.done, 0);
}
END_TEST

/* It is told soon: nobody waits for what may take days. */
START_TEST(test_why_not_any_further)
{
	static struct count c;
	int64_t first = begin_with(100);

	if (reasons[_i].meanwhile == NULL)
		return;
	g.t[0].delay_ms = 20;
	begin(&c, first, first + HOUR);
	wanted = 10;
	ck_assert(run_until(has_told, &c, 30000));
	reasons[_i].meanwhile();
	end(&c);
	ck_assert_int_eq(c.err.kind, ERR_TEMP);
	(void)run_until(never, NULL, 100);
	ck_assert_uint_eq(c.done, 1);
	ck_assert_uint_lt(c.fresh, 100);
}
END_TEST

START_TEST(test_before_it_was_read)
{
	static struct count c;
	struct intake_list ask = ask_of(&c, now() - HOUR, now());
	struct err err = { 0 };

	g.t[0].mood = SG_503;
	start(1);
	ck_assert(!intake_list(in, &ask, &err));
	ck_assert_msg(strstr(err.text, "not read yet") != NULL, "%s", err.text);
}
END_TEST

/* Another tenant may have the name now, and another stream of it may be there. */
START_TEST(test_it_is_known_by_its_key)
{
	static struct count c;
	int64_t first = begin_with(10);
	struct intake_list ask = ask_of(&c, first, first + HOUR);
	struct err err = { 0 };

	ask.key = streams[1].key;
	ck_assert(!intake_list(in, &ask, &err));
	ask.key = streams[0].key;
	ask.kind = &stream_kinds[STREAM_INCIDENTS];
	ck_assert(!intake_list(in, &ask, &err));
}
END_TEST

START_TEST(test_trouble_that_lasts_is_told)
{
	static struct count c;
	int64_t first = begin_with(100);

	tenants[0].poll_interval_ms = 3600 * SEC;
	begin(&c, first, first + HOUR);
	g.t[0].mood = SG_503;
	for (int i = 0; i < 200 && c.done == 0; i++) {
		(void)run_until(is_done, &c, 50);
		turn_clock(60 * SEC);
	}
	ck_assert_uint_eq(c.done, 1);
	ck_assert_int_eq(c.err.kind, ERR_TEMP);
}
END_TEST

/* Whoever asks next is told so, too. */
START_TEST(test_a_gap_is_told_each_time)
{
	static struct count c;
	int64_t first = begin_with(20);

	g.t[0].alerts[7].is_huge = true;
	tenants[0].poll_interval_ms = 3600 * SEC;
	for (int i = 0; i < 2; i++) {
		begin(&c, first, first + HOUR);
		expect_error(&c, "not all can be listed");
		ck_assert_uint_eq(c.fresh, 19);
	}
}
END_TEST

/* Whoever waits when everything ends is told, once. */
START_TEST(test_the_end_of_everything)
{
	static struct count c;
	int64_t first = begin_with(10);

	g.t[0].mood = SG_HANG;
	begin(&c, first, first + HOUR);
	(void)run_until(never, NULL, 50);
	intake_free(in);
	in = NULL;
	ck_assert_uint_eq(c.done, 1);
	ck_assert_int_eq(c.err.kind, ERR_TEMP);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listing");
	TCase *tc = tcase_create("listing");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_all_of_the_time_and_nothing_else);
	tcase_add_test(tc, test_many_on_one_timestamp);
	tcase_add_loop_test(tc, test_however_it_is_listed, 0, (int)ARRAY_LEN(ways));
	tcase_add_test(tc, test_what_is_odd_is_said);
	tcase_add_test(tc, test_live_reading_goes_on);
	tcase_add_test(tc, test_one_at_a_time_and_again_from_its_end);
	tcase_add_test(tc, test_what_is_cancelled_is_told_nothing_more);
	tcase_add_loop_test(tc, test_why_not, 0, (int)ARRAY_LEN(reasons));
	tcase_add_loop_test(tc, test_why_not_any_further, 0, (int)ARRAY_LEN(reasons));
	tcase_add_test(tc, test_before_it_was_read);
	tcase_add_test(tc, test_it_is_known_by_its_key);
	tcase_add_test(tc, test_trouble_that_lasts_is_told);
	tcase_add_test(tc, test_a_gap_is_told_each_time);
	tcase_add_test(tc, test_the_end_of_everything);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
