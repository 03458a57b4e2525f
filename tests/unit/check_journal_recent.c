/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "tests/unit/journal_stage.h"

/* What was stored last is handed out from memory: how much of it, and who waits for whom. */

/* A page that may stay, its entries with something of the judge's. */
static struct kit_page *
staying(struct kit *k, const char *prefix, size_t keeps, uint32_t sink)
{
	struct kit_page *p = page(k, prefix, 3, 100, sink);

	p->page.keeps = keeps;
	for (size_t i = 0; i < p->page.n; i++)
		p->page.entries[i].user = p;
	return p;
}

static void
what_is_new_is_handed_out_from_memory(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = staying(k, "a", 1000, siem);
	struct journal_batch *b[2];

	kit_must_append(k, p);
	for (int i = 0; i < 2; i++) {
		b[i] = kit_read(k, siem, 10, SIZE_MAX, NULL);
		ck_assert(kit_is(b[i], "a-0 a-1 a-2"));
		ck_assert_ptr_eq(b[i]->items[2].user, p);
		ck_assert_ptr_eq(b[i]->items[2].body.s, p->page.entries[2].body);
		ck_assert_int_eq(b[i]->items[2].journalled, KIT_START);
		journal_rewind(k->j, siem);
	}
	kit_close(k);
	ck_assert_msg(k->released == 0, "batches lean on it");
	journal_batch_free(b[0]);
	ck_assert_uint_eq(k->released, 0);
	journal_batch_free(b[1]);
	ck_assert_uint_eq(k->released, 1);
}

static void
memory_for_what_is_new_is_bounded(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, staying(k, "a", 4 << 20, siem));
	kit_must_append(k, staying(k, "b", 4 << 20, siem));
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert_uint_eq(k->released, 1);
	ck_assert(kit_is(b, "a-0 a-1 a-2 b-0 b-1 b-2"));
	ck_assert_ptr_null(b->items[2].user);
	ck_assert_ptr_nonnull(b->items[3].user);
	journal_batch_free(b);
	kit_run(k, 4500);
	ck_assert_msg(k->released == 2, "nor does it stay when nothing follows");
}

static int64_t
mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
a_storm_waits_for_a_sink_that_reads(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	int64_t began = mono_ms();
	struct journal_batch *b;

	kit_must_append(k, staying(k, "a", 2 << 20, siem));
	journal_batch_free(kit_read(k, siem, 1, SIZE_MAX, NULL));
	kit_must_append(k, staying(k, "b", 2 << 20, siem));
	kit_must_append(k, staying(k, "c", 2 << 20, siem));
	ck_assert_int_ge(mono_ms() - began, 95);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-1 a-2 b-0 b-1 b-2 c-0 c-1 c-2"));
	for (size_t i = 0; i < b->n; i++)
		ck_assert_ptr_nonnull(b->items[i].user);
	journal_batch_free(b);
}

/* As much as is stored at once. */
static struct kit_page *
group(struct kit *k, const char *prefix, uint32_t one, uint32_t other)
{
	struct kit_page *p = page(k, prefix, 400, 10, one);

	kit_route(p, other);
	p->page.keeps = 2 << 20;
	return p;
}

/* The quickest has all; a second one that reads gets a moment for each group, thousands of entries a
 * second, and so finds in memory what it would have to read from the file. */
static void
a_storm_slows_down_for_a_second_sink(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	int64_t began;

	kit_must_append(k, group(k, "a", siem, lake));
	journal_batch_free(kit_read(k, lake, 1, SIZE_MAX, NULL));
	began = mono_ms();
	kit_must_append(k, group(k, "b", siem, lake));
	journal_batch_free(kit_read(k, siem, 1000, SIZE_MAX, NULL));
	kit_must_append(k, group(k, "c", siem, lake));
	ck_assert_int_ge(mono_ms() - began, 95);
	ck_assert_int_lt(mono_ms() - began, 450);
}

/* One that is far behind is given up: not 40 times 50 ms and more. */
static void
a_storm_does_not_wait_for_the_slow(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	char prefix[16];
	int64_t began;

	for (int i = 0; i < 30; i++) {
		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 400, 10, siem));
	}
	began = mono_ms();
	for (int i = 0; i < 40; i++) {
		snprintf(prefix, sizeof(prefix), "q%d", i);
		journal_batch_free(kit_read(k, siem, 1, SIZE_MAX, NULL));
		kit_must_append(k, staying(k, prefix, 2 << 20, siem));
	}
	ck_assert_int_lt(mono_ms() - began, 1800);
}

static const struct stage_case cases[] = {
	{ "what is new is handed out from memory", what_is_new_is_handed_out_from_memory },
	{ "what is kept in memory has a bound", memory_for_what_is_new_is_bounded },
	{ "a storm waits for a sink that reads", a_storm_waits_for_a_sink_that_reads },
	{ "a storm slows down for a second sink", a_storm_slows_down_for_a_second_sink },
	{ "a storm does not wait for the slow", a_storm_does_not_wait_for_the_slow },
};

int
main(void)
{
	return run_cases("journal_recent", cases, (int)ARRAY_LEN(cases));
}
