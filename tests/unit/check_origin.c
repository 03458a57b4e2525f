/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/record/event.h"

static struct origin_label contacts[] = { { "oncall", "a@x.example" }, { "oncall", "B <b@x.example>" },
	{ "it", "a@x.example" } };
static struct origin_label labels[] = { { "tier", "gold" }, { "region", "\xc3\xa9u \"1\"" } };

static const struct origin contoso = {
	.tenant_id = (char *)"11111111-2222-3333-4444-555555555555",
	.tenant = (char *)"contoso-eu",
	.customer = (char *)"contoso",
	.customer_name = (char *)"Contoso \"Ltd\"",
	.cloud = (char *)"global",
	.portal_host = (char *)"security.microsoft.com",
	.stream = (char *)"alerts",
	.instance = (char *)"",
	.time_zone = (char *)"Europe/Berlin",
	.labels = labels,
	.nlabels = ARRAY_LEN(labels),
	.contacts = contacts,
	.ncontacts = ARRAY_LEN(contacts),
};

static void
check_same(const struct origin *a, const struct origin *b)
{
	ck_assert_str_eq(a->tenant_id, b->tenant_id);
	ck_assert_str_eq(a->tenant, b->tenant);
	ck_assert_str_eq(a->customer, b->customer);
	ck_assert_str_eq(a->customer_name, b->customer_name);
	ck_assert_str_eq(a->cloud, b->cloud);
	ck_assert_str_eq(a->portal_host, b->portal_host);
	ck_assert_str_eq(a->stream, b->stream);
	ck_assert_str_eq(a->instance, b->instance);
	ck_assert_uint_eq(a->nlabels, b->nlabels);
	for (size_t i = 0; i < a->nlabels; i++) {
		ck_assert_str_eq(a->labels[i].key, b->labels[i].key);
		ck_assert_str_eq(a->labels[i].value, b->labels[i].value);
	}
	ck_assert_str_eq(a->time_zone, b->time_zone);
	ck_assert_uint_eq(a->ncontacts, b->ncontacts);
	for (size_t i = 0; i < a->ncontacts; i++) {
		ck_assert_str_eq(a->contacts[i].key, b->contacts[i].key);
		ck_assert_str_eq(a->contacts[i].value, b->contacts[i].value);
	}
}

START_TEST(test_copy)
{
	struct origin *o = origin_new(&contoso);

	check_same(o, &contoso);
	ck_assert_ptr_ne(o->tenant, contoso.tenant);
	ck_assert_ptr_ne(o->labels[0].value, labels[0].value);
	ck_assert_ptr_eq(origin_ref(o), o);
	ck_assert_uint_eq(o->refs, 2);
	origin_unref(o);
	check_same(o, &contoso);
	origin_unref(o);
	origin_unref(NULL);
}
END_TEST

START_TEST(test_about)
{
	char *about = origin_about(&contoso), *again;
	struct err err;
	struct origin *o = origin_from_about(about, &err);

	ck_assert_ptr_nonnull(o);
	check_same(o, &contoso);
	again = origin_about(o);
	ck_assert_str_eq(about, again);
	origin_unref(o);
	free(about);
	free(again);
}
END_TEST

START_TEST(test_about_little)
{
	struct err err;
	struct origin *o = origin_from_about(
	    "{\"tenant_id\":\"t\",\"customer\":5,\"labels\":{\"a\":1,\"b\":\"c\"},\"new\":[]}",
	    &err);

	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(o->tenant_id, "t");
	ck_assert_str_eq(o->tenant, "");
	ck_assert_str_eq(o->customer, "");
	ck_assert_uint_eq(o->nlabels, 1);
	ck_assert_str_eq(o->labels[0].value, "c");
	origin_unref(o);
}
END_TEST

static const char *const wrongs[] = { "", "x", "[]", "{}", "{\"tenant_id\":5}", "{\"tenant_id\":" };

START_TEST(test_about_wrong)
{
	struct err err = { .kind = ERR_NONE };

	ck_assert_ptr_null(origin_from_about(wrongs[_i], &err));
	ck_assert_int_eq(err.kind, ERR_PERM);
}
END_TEST

static const struct {
	const char *says;
	enum record_type type;
	const char *want;
} ids[] = {
	{ "an alert", RECORD_ALERT,
	    "11111111-2222-3333-4444-555555555555/alert:da1_-5/2026-11-22T04:10:46.0900000Z" },
	{ "an incident", RECORD_INCIDENT,
	    "11111111-2222-3333-4444-555555555555/incident:da1_-5/2026-11-22T04:10:46.0900000Z" },
	{ "health", RECORD_HEALTH,
	    "11111111-2222-3333-4444-555555555555/health:da1_-5/2026-11-22T04:10:46.0900000Z" },
	{ "a canary", RECORD_CANARY,
	    "11111111-2222-3333-4444-555555555555/canary:da1_-5/2026-11-22T04:10:46.0900000Z" },
	{ "an unreadable one", RECORD_UNREADABLE,
	    "11111111-2222-3333-4444-555555555555/unreadable:da1_-5/2026-11-22T04:10:46.0900000Z" },
};

START_TEST(test_event_id)
{
	struct record r = { .type = ids[_i].type, .id = STR("da1_-5") };
	struct event ev = { .record = &r, .origin = &contoso };
	struct buf out = BUF_INIT(1000);

	ck_assert(ticks_parse(STR("2026-11-22T04:10:46.09Z"), &r.version));
	event_id(&out, &ev);
	ck_assert_msg(strcmp(out.p, ids[_i].want) == 0, "%s: %s", ids[_i].says, out.p);
	buf_release(&out);
}
END_TEST

/* One name for each number, and NULL behind the last. */
START_TEST(test_names)
{
	for (unsigned i = 0; i < KIND_COUNT; i++)
		ck_assert_ptr_nonnull(kind_names[i]);
	for (unsigned i = 0; i < PART_COUNT; i++)
		ck_assert_ptr_nonnull(part_names[i]);
	ck_assert_ptr_null(kind_names[KIND_COUNT]);
	ck_assert_ptr_null(part_names[PART_COUNT]);
	ck_assert_str_eq(kind_names[KIND_UNREADABLE], "unreadable");
	ck_assert_str_eq(part_names[PART_OTHER], "other");
	ck_assert_str_eq(severity_names[SEVERITY_HIGH], "high");
	ck_assert_ptr_null(severity_names[SEVERITY_OTHER + 1]);
	ck_assert_str_eq(status_names[STATUS_IN_PROGRESS], "inProgress");
	ck_assert_ptr_null(status_names[STATUS_OTHER + 1]);
}
END_TEST

/* FIPS 180-4's examples. */
static const struct {
	struct str bytes;
	const char *want;
} sums[] = {
	{ { NULL, 0 }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ { "abc", 3 }, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56 },
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(test_digest)
{
	char hex[65];

	digest_sha256(sums[_i].bytes, hex);
	ck_assert_str_eq(hex, sums[_i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("origin");
	TCase *tc = tcase_create("origin");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_copy);
	tcase_add_test(tc, test_about);
	tcase_add_test(tc, test_about_little);
	tcase_add_loop_test(tc, test_about_wrong, 0, ARRAY_LEN(wrongs));
	tcase_add_loop_test(tc, test_event_id, 0, ARRAY_LEN(ids));
	tcase_add_test(tc, test_names);
	tcase_add_loop_test(tc, test_digest, 0, ARRAY_LEN(sums));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
