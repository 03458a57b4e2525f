/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cef_stage.h"

/* The header, what an event says of itself, and what is no alert. */

#define A(field, text) \
	{ \
		offsetof(struct alert, field), text \
	}
static const struct {
	const char *says;
	struct {
		size_t off;
		const char *text;
	} set[2];
	enum severity severity;
	const char *want; /* up to the bar behind the severity */
	bool is_plain;
} headers[] = {
	{ "detector, title, severity", { A(detector_id, "7f1c-36"), A(title, "Bad | thing") },
	    SEVERITY_HIGH,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|7f1c-36|Bad \\| thing|8|", false },
	{ "the class is the category without a detector", { A(category, "Execution") },
	    SEVERITY_MEDIUM,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|Execution|Suspicious thing|6|",
	    false },
	{ "and unknown without both", { A(category, NULL) }, SEVERITY_LOW,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|unknown|Suspicious thing|3|",
	    false },
	{ "a detector of signs only is none", { A(detector_id, "{||}") }, SEVERITY_INFORMATIONAL,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|unknown|Suspicious thing|1|",
	    false },
	{ "a detector may not be anything", { A(detector_id, "a|b\\c=\n") }, SEVERITY_UNKNOWN,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|a-b-c-|Suspicious thing|Unknown|",
	    false },
	{ "the network does not name products", { A(service_source, "Evil|Product") },
	    SEVERITY_OTHER,
	    "CEF:0|Microsoft|Microsoft Defender|1.0|unknown|Suspicious thing|Unknown|", false },
	{ "every service has its product", { A(service_source, "azureAdIdentityProtection") },
	    SEVERITY_LOW,
	    "CEF:0|Microsoft|Microsoft Entra ID Protection|1.0|unknown|Suspicious thing|3|",
	    false },
	{ "an empty title is replaced", { A(title, "\\ \\") }, SEVERITY_LOW,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|unknown|Microsoft Defender "
	    "alert|3|",
	    false },
	{ "a plain header has no escapes", { A(title, "a|b\\c=d") }, SEVERITY_LOW,
	    "CEF:0|Microsoft|Microsoft Defender for Endpoint|1.0|unknown|a/b/c:d|3|", true },
};

START_TEST(test_header)
{
	struct format_opts opts = { .max_bytes = 8192, .cef_plain_header = headers[_i].is_plain };
	struct made m;
	struct line l;

	make_alert(&m);
	for (size_t i = 0; i < 2 && headers[_i].set[i].off != 0; i++)
		*(struct str *)((char *)&m.record.alert + headers[_i].set[i].off) =
		    str_of(headers[_i].set[i].text);
	m.record.alert.severity = headers[_i].severity;
	write_line(&l, &m.event, &opts);
	ck_assert_msg(
	    str_starts(buf_peek(&l.text), headers[_i].want), "%s: %s", headers[_i].says, l.text.p);
	release(&l);
}
END_TEST

/* The network says the service; the name of the product is ours. */
static const struct {
	const char *service, *product;
} products[] = {
	{ "microsoftDefenderForEndpoint", "Microsoft Defender for Endpoint" },
	{ "microsoftDefenderForIdentity", "Microsoft Defender for Identity" },
	{ "microsoftDefenderForCloudApps", "Microsoft Defender for Cloud Apps" },
	{ "microsoftDefenderForOffice365", "Microsoft Defender for Office 365" },
	{ "microsoftDefenderForCloud", "Microsoft Defender for Cloud" },
	{ "microsoft365Defender", "Microsoft Defender XDR" },
	{ "azureAdIdentityProtection", "Microsoft Entra ID Protection" },
	{ "microsoftAppGovernance", "Microsoft App Governance" },
	{ "dataLossPrevention", "Microsoft Purview Data Loss Prevention" },
	{ "microsoftInsiderRiskManagement", "Microsoft Purview Insider Risk Management" },
	{ "microsoftSentinel", "Microsoft Sentinel" },
	{ "microsoftThreatIntelligence", "Microsoft Threat Intelligence" },
	{ "microsoftSecurityForAI", "Microsoft Security for AI" },
	{ "unknownFutureValue", "Microsoft Defender" },
	{ NULL, "Microsoft Defender" },
};

START_TEST(test_product)
{
	struct made m;
	struct line l;

	make_alert(&m);
	m.record.alert.service_source = str_of(products[_i].service);
	write_line(&l, &m.event, &plenty);
	ck_assert_msg(str_is(l.cef.header[1], products[_i].product), "%s: %s",
	    products[_i].product, l.text.p);
	release(&l);
}
END_TEST

/* ---- what an event says of itself -------------------------------------------------------- */

START_TEST(test_event)
{
	struct made m;
	struct line l;

	make_alert(&m);
	m.event.kind = KIND_UPDATED;
	m.event.changed = 1u << PART_SEVERITY | 1u << PART_COMMENT;
	m.event.flags = EVENT_BACKFILL;
	write_line(&l, &m.event, &plenty);
	ck_assert(str_is(cef_get(&l.cef, "MicrosoftDefenderChanged"), "severity,comment"));
	ck_assert(str_is(cef_get(&l.cef, "MicrosoftDefenderOrigin"), "backfill"));
	release(&l);
	m.event.changed = 0;
	m.event.flags = EVENT_REPLAY;
	write_line(&l, &m.event, &plenty);
	ck_assert_ptr_null(cef_get(&l.cef, "MicrosoftDefenderChanged").s);
	ck_assert(str_is(cef_get(&l.cef, "MicrosoftDefenderOrigin"), "replay"));
	release(&l);
}
END_TEST

/* The longest id that the journal takes, and one that is a byte too long for externalId. */
START_TEST(test_long_ids)
{
	char id[513];
	struct made m;
	struct line l;

	memset(id, '=', 512);
	id[512] = '\0';
	make_alert(&m);
	m.record.id = str_of(id);
	write_line(&l, &m.event, &plenty);
	ck_assert_ptr_null(cef_get(&l.cef, "externalId").s);
	ck_assert(memcmp(cef_get(&l.cef, "flexString2").s, id, 500) == 0);
	ck_assert_uint_eq(cef_get(&l.cef, "MicrosoftDefenderEventId").n, 36 + 7 + 512 + 1 + 28);
	release(&l);
	m.record.id.n = 40;
	write_line(&l, &m.event, &plenty);
	ck_assert_ptr_null(cef_get(&l.cef, "externalId").s);
	release(&l);
	memset(id, 'x', 512);
	write_line(&l, &m.event, &plenty);
	ck_assert_uint_eq(cef_get(&l.cef, "externalId").n, 40);
	release(&l);
	m.record.id.n = 41;
	write_line(&l, &m.event, &plenty);
	ck_assert_ptr_null(cef_get(&l.cef, "externalId").s);
	ck_assert_uint_eq(cef_get(&l.cef, "flexString2").n, 41);
	release(&l);
}
END_TEST

/* ---- what is no alert --------------------------------------------------------------------- */

START_TEST(test_health)
{
	struct line l;
	struct made m;

	make_health(&m);
	write_line(&l, &m.event, &plenty);
	ck_assert_msg(str_starts(buf_peek(&l.text),
			  "CEF:0|msspd|msspd|1.0|health.consent-withdrawn|"
			  "Tenant contoso-eu: consent withdrawn|5|"),
	    "%s", l.text.p);
	ck_assert(str_is(cef_get(&l.cef, "act"), "health"));
	ck_assert(str_is(cef_get(&l.cef, "cat"), "tenant"));
	ck_assert(str_is(cef_get(&l.cef, "cs3"), MADE_TENANT_ID));
	ck_assert(str_is(cef_get(&l.cef, "cs5"), "consent withdrawn"));
	ck_assert(str_is(cef_get(&l.cef, "msspdWas"), "healthy"));
	ck_assert(str_is(cef_get(&l.cef, "msg"), "HTTP 403"));
	ck_assert(str_is(cef_get(&l.cef, "reason"), "Ask | the = customer"));
	ck_assert(str_is(cef_get(&l.cef, "start"), "1795320646000"));
	ck_assert(str_is(cef_get(&l.cef, "MicrosoftDefenderEventId"),
	    MADE_TENANT_ID "/health:tenant/2026-11-22T04:11:46.0000000Z"));
	/* No alert: no link to one, no id of one. */
	ck_assert(cef_get(&l.cef, "flexString1").n == 0 && cef_get(&l.cef, "flexString2").n == 0);
	release(&l);
}
END_TEST

START_TEST(test_unreadable)
{
	struct made m;
	struct line l;

	make_unreadable(&m, "da1_1", "a bracket at byte 7 is never closed");
	m.record.unreadable.title = STR("Mimikatz | seen");
	m.record.unreadable.severity_text = STR("high");
	m.record.unreadable.created = ticks_at("1970-01-01T00:00:05Z");
	write_line(&l, &m.event, &plenty);
	ck_assert(str_starts(
	    buf_peek(&l.text), "CEF:0|Microsoft|Microsoft Defender|1.0|unreadable|Unreadable alert "
	                       "called Mimikatz \\| seen|7|rt="));
	ck_assert(str_is(cef_get(&l.cef, "act"), "unreadable"));
	ck_assert(str_is(cef_get(&l.cef, "flexString2"), "da1_1"));
	ck_assert(str_is(cef_get(&l.cef, "reason"), "a bracket at byte 7 is never closed"));
	ck_assert(str_is(cef_get(&l.cef, "cs3"), MADE_TENANT_ID));
	ck_assert(str_is(cef_get(&l.cef, "rt"), "1795320646090"));
	ck_assert(
	    str_is(cef_get(&l.cef, "msg"), "msspd could not read this alert and kept its 6 bytes "
					   "in quarantine. Its severity seems to be high."));
	ck_assert(str_is(cef_get(&l.cef, "deviceCustomDate1"), "5000"));
	release(&l);
	m.record.unreadable.title = STR(" \\ ");
	write_line(&l, &m.event, &plenty);
	ck_assert(str_is(l.cef.header[4], "Unreadable alert"));
	release(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cef_head");
	TCase *tc = tcase_create("cef_head");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_header, 0, (int)ARRAY_LEN(headers));
	tcase_add_loop_test(tc, test_product, 0, (int)ARRAY_LEN(products));
	tcase_add_test(tc, test_event);
	tcase_add_test(tc, test_long_ids);
	tcase_add_test(tc, test_health);
	tcase_add_test(tc, test_unreadable);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
