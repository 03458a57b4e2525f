/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/policy/match.h"
#include "tests/unit/make_record.h"

#define BIT(n) (1u << (n))
#define WORDS(...) \
	{ \
		(const char *const[]){ __VA_ARGS__ }, \
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) \
	}

/* What there is to judge: contoso-eu of contoso {tier: gold, region: eu}, unless said. */
enum subject {
	HIGH,       /* new, high, endpoint, Execution, device of group Servers */
	LOW,        /* the same, low */
	NEXT_YEAR,  /* a severity, service that we do not know */
	BARE,       /* no severity, service, category, device */
	GROUPLESS,  /* its device is in no group */
	COMMENTED,  /* updated: comment */
	BACKFILLED, /* updated, what changed is not known */
	RESOLVED,
	HEALTH,
	UNREADABLE,
};

static const struct match not_low = { .severities = BIT(SEVERITY_LOW) };
static const struct match not_low_contoso = { .severities = BIT(SEVERITY_LOW),
	.customers = WORDS("contoso") };
static const struct match not_health = { .kinds = BIT(KIND_HEALTH) };
static const struct match not_contoso = { .customers = WORDS("contoso") };
static const struct match not_comment = { .parts = BIT(PART_COMMENT) };
static const struct match not_endpoint = { .services = WORDS("microsoftDefenderForEndpoint") };
static const struct match not_not_low = { .negated = &not_low };
static const struct match nothing = { .severities = 0 };
static const struct match_label gold_eu[] = { { "tier", "gold" }, { "region", "eu" } };
static const struct match_label gold_us[] = { { "tier", "gold" }, { "region", "us" } };

static const struct {
	const char *says;
	struct match match;
	enum subject subject;
	bool passes;
} cases[] = {
	{ "nothing asked passes", { .severities = 0 }, HIGH, true },
	{ "a severity asked passes", { .severities = BIT(SEVERITY_HIGH) | BIT(SEVERITY_MEDIUM) },
	    HIGH, true },
	{ "another does not", { .severities = BIT(SEVERITY_HIGH) | BIT(SEVERITY_MEDIUM) }, LOW,
	    false },
	{ "a severity of next year passes", { .severities = BIT(SEVERITY_HIGH) }, NEXT_YEAR, true },
	{ "so does none at all", { .severities = BIT(SEVERITY_HIGH) }, BARE, true },
	{ "a kind asked passes", { .kinds = BIT(KIND_NEW) }, HIGH, true },
	{ "another does not", { .kinds = BIT(KIND_RESOLVED) }, HIGH, false },
	{ "a change asked passes", { .parts = BIT(PART_COMMENT) | BIT(PART_STATUS) }, COMMENTED,
	    true },
	{ "another does not", { .parts = BIT(PART_STATUS) }, COMMENTED, false },
	{ "changes judge updates only", { .parts = BIT(PART_STATUS) }, HIGH, true },
	{ "resolved is no update", { .parts = BIT(PART_COMMENT) }, RESOLVED, true },
	{ "changes that are not known pass", { .parts = BIT(PART_STATUS) }, BACKFILLED, true },
	{ "a customer by name, without case", { .customers = WORDS("fabrikam", "ConToso") }, HIGH,
	    true },
	{ "another customer", { .customers = WORDS("fabrikam") }, HIGH, false },
	{ "not by a part of the name", { .customers = WORDS("contos") }, HIGH, false },
	{ "a tenant by name", { .tenants = WORDS("contoso-eu") }, HIGH, true },
	{ "another tenant", { .tenants = WORDS("contoso-us") }, HIGH, false },
	{ "all labels are there", { .labels = gold_eu, .nlabels = 2 }, HIGH, true },
	{ "one of them is not", { .labels = gold_us, .nlabels = 2 }, HIGH, false },
	{ "a device group", { .device_groups = WORDS("clients", "servers") }, HIGH, true },
	{ "another one", { .device_groups = WORDS("clients") }, HIGH, false },
	{ "a device that does not say its group passes", { .device_groups = WORDS("clients") },
	    GROUPLESS, true },
	{ "an alert without a device is in no group", { .device_groups = WORDS("clients") }, BARE,
	    false },
	{ "a service", { .services = WORDS("microsoftdefenderforendpoint") }, HIGH, true },
	{ "another one", { .services = WORDS("microsoftDefenderForIdentity") }, HIGH, false },
	{ "a service of next year passes", { .services = WORDS("microsoftDefenderForIdentity") },
	    NEXT_YEAR, true },
	{ "also by its own name", { .services = WORDS("microsoftDefenderForQuantum") }, NEXT_YEAR,
	    true },
	{ "a category", { .categories = WORDS("Impact", "execution") }, HIGH, true },
	{ "any of the categories", { .categories = WORDS("Discovery") }, HIGH, true },
	{ "another one", { .categories = WORDS("Impact") }, HIGH, false },
	{ "no category passes", { .categories = WORDS("Impact") }, BARE, true },
	{ "between keys all must agree",
	    { .severities = BIT(SEVERITY_HIGH), .customers = WORDS("fabrikam") }, HIGH, false },
	{ "one unknown and one no is no",
	    { .severities = BIT(SEVERITY_HIGH), .customers = WORDS("fabrikam") }, NEXT_YEAR,
	    false },

	{ "what is negated does not pass", { .negated = &not_low }, LOW, false },
	{ "all else does", { .negated = &not_low }, HIGH, true },
	{ "unknown passes negated too", { .negated = &not_low }, NEXT_YEAR, true },
	{ "an unknown service passes negated too", { .negated = &not_endpoint }, NEXT_YEAR, true },
	{ "a known one does not", { .negated = &not_endpoint }, HIGH, false },
	{ "negated keys must all agree to withhold", { .negated = &not_low_contoso }, HIGH, true },
	{ "and do here", { .negated = &not_low_contoso }, LOW, false },
	{ "twice negated", { .negated = &not_not_low }, LOW, true },
	{ "twice negated, another", { .negated = &not_not_low }, HIGH, false },
	{ "a negated change judges updates only", { .negated = &not_comment }, HIGH, true },
	{ "a negated change withholds", { .negated = &not_comment }, COMMENTED, false },
	{ "nothing negated is nothing", { .negated = &nothing }, HIGH, true },
	{ "keys and a negation", { .severities = BIT(SEVERITY_HIGH), .negated = &not_contoso },
	    HIGH, false },

	{ "health passes what asks for content",
	    { .severities = BIT(SEVERITY_HIGH),
		.services = WORDS("x"),
		.categories = WORDS("x"),
		.device_groups = WORDS("x"),
		.parts = BIT(PART_STATUS) },
	    HEALTH, true },
	{ "unreadable does",
	    { .severities = BIT(SEVERITY_HIGH),
		.services = WORDS("x"),
		.categories = WORDS("x"),
		.device_groups = WORDS("x") },
	    UNREADABLE, true },
	{ "health passes negated content", { .negated = &not_low }, HEALTH, true },
	{ "unreadable passes negated content of its customer", { .negated = &not_low_contoso },
	    UNREADABLE, true },
	{ "events that leave health out withhold it", { .kinds = BIT(KIND_NEW) }, HEALTH, false },
	{ "events that leave unreadable out withhold it",
	    { .kinds = BIT(KIND_NEW) | BIT(KIND_HEALTH) }, UNREADABLE, false },
	{ "events that have it do not", { .kinds = BIT(KIND_HEALTH) }, HEALTH, true },
	{ "negated events withhold health", { .negated = &not_health }, HEALTH, false },
	{ "somebody else's health", { .customers = WORDS("fabrikam") }, HEALTH, false },
	{ "negated customers withhold health", { .negated = &not_contoso }, HEALTH, false },
	{ "somebody else's unreadable", { .tenants = WORDS("fabrikam") }, UNREADABLE, false },
	{ "labels of somebody else", { .labels = gold_us, .nlabels = 2 }, UNREADABLE, false },
};

static void
make_subject(struct made *m, struct evidence *device, enum subject s)
{
	static const struct str categories[] = { STR("Execution"), STR("Discovery") };
	struct alert *a = &m->record.alert;

	if (s == UNREADABLE) {
		make_unreadable(m, "da1", "why");
		return;
	}
	make_alert(m);
	if (s == HEALTH) {
		m->record.type = RECORD_HEALTH;
		m->event.kind = KIND_HEALTH;
		return;
	}
	*device = make_evidence(EVIDENCE_DEVICE);
	device->device.rbac_group_name = s == GROUPLESS ? (struct str){ NULL, 0 } : STR("Servers");
	a->evidence = device;
	a->nevidence = s == BARE ? 0 : 1;
	a->category = STR("Execution");
	a->categories = categories;
	a->ncategories = 2;
	if (s == LOW) {
		a->severity = SEVERITY_LOW;
	} else if (s == NEXT_YEAR) {
		a->severity = SEVERITY_OTHER;
		a->service_source = STR("microsoftDefenderForQuantum");
	} else if (s == BARE) {
		a->severity = SEVERITY_UNKNOWN;
		a->service_source = a->category = (struct str){ NULL, 0 };
		a->ncategories = 0;
	} else if (s == COMMENTED || s == BACKFILLED) {
		m->event.kind = KIND_UPDATED;
		m->event.changed = s == COMMENTED ? BIT(PART_COMMENT) : 0;
	} else if (s == RESOLVED) {
		m->event.kind = KIND_RESOLVED;
		m->event.changed = BIT(PART_STATUS);
	}
}

START_TEST(test_match)
{
	struct evidence device;
	struct made m;

	make_subject(&m, &device, cases[_i].subject);
	ck_assert_msg(
	    match_test(&cases[_i].match, &m.event) == cases[_i].passes, "%s", cases[_i].says);
	ck_assert(match_test(NULL, &m.event));
}
END_TEST

/* A device inside of another kind of evidence counts. */
START_TEST(test_nested_device)
{
	struct match match = { .device_groups = WORDS("inner") };
	struct evidence device, holder = make_evidence(EVIDENCE_HOLDER);
	struct made m;

	make_subject(&m, &device, HIGH);
	ck_assert(!match_test(&match, &m.event));
	device.device.rbac_group_name = STR("inner");
	holder.children = &device;
	holder.nchildren = 1;
	m.record.alert.evidence = &holder;
	ck_assert(match_test(&match, &m.event));
}
END_TEST

START_TEST(test_route)
{
	static const struct match high = { .severities = BIT(SEVERITY_HIGH) };
	static const struct match canary_asked = { .kinds = BIT(KIND_CANARY) | BIT(KIND_NEW) };
	static const struct match low = { .severities = BIT(SEVERITY_LOW) };
	const struct route routes[] = {
		{ .sink = 7, .match = NULL, .default_kinds = BIT(KIND_NEW) },
		{ .sink = 3, .match = &high, .default_kinds = BIT(KIND_NEW) | BIT(KIND_HEALTH) },
		{ .sink = 9, .match = &high, .default_kinds = BIT(KIND_RESOLVED) },
		{ .sink = 1, .match = &low, .default_kinds = BIT(KIND_NEW) },
		{ .sink = 5, .match = &canary_asked, .default_kinds = 0 },
	};
	struct evidence device;
	struct made m;
	uint32_t out[5];

	make_subject(&m, &device, HIGH);
	ck_assert_uint_eq(route_select(routes, 5, &m.event, out, 5), 3);
	ck_assert(out[0] == 7 && out[1] == 3 && out[2] == 5);
	ck_assert_uint_eq(route_select(routes, 5, &m.event, out, 2), 2);
	ck_assert_uint_eq(route_select(routes, 0, &m.event, out, 5), 0);
	make_subject(&m, &device, HEALTH);
	ck_assert_uint_eq(route_select(routes, 5, &m.event, out, 5), 1);
	ck_assert_uint_eq(out[0], 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("match");
	TCase *tc = tcase_create("match");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_match, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_nested_device);
	tcase_add_test(tc, test_route);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
