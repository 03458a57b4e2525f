/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/format/header.h"
#include "lib/format/zone_rule.h"
#include "tests/unit/make_record.h"

#define LONG_50  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LONG_48  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeee"
#define LONG_250 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50

/* The time of the event is 2026-11-02T04:10:30.7033333Z (new), severity high, facility local4. */
static const struct {
	const char *says;
	enum header_kind kind;
	const char *hostname, *app_name, *customer, *want;
} cases[] = {
	{ "RFC 5424", HEADER_RFC5424, "{customer}", "msspd", "contoso",
	    "<163>1 2026-11-02T04:10:30.703333Z contoso msspd 4711 new - " },
	{ "names of this machine", HEADER_RFC5424, "{host}", "a-{tenant}", "contoso",
	    "<163>1 2026-11-02T04:10:30.703333Z soc1 a-contoso-eu 4711 new - " },
	{ "no space and no other letters in names", HEADER_RFC5424, "{customer}", "a b",
	    "M\xc3\xbcller & S\xc3\xb6hne\n<1>",
	    "<163>1 2026-11-02T04:10:30.703333Z M-ller-&-S-hne-<1> a-b 4711 new - " },
	{ "a colon may be in a host", HEADER_RFC5424, "2001:db8::1", "msspd", "x",
	    "<163>1 2026-11-02T04:10:30.703333Z 2001:db8::1 msspd 4711 new - " },
	{ "nothing is a dash", HEADER_RFC5424, "{label.none}", "", "x",
	    "<163>1 2026-11-02T04:10:30.703333Z - - 4711 new - " },
	{ "no template is a dash", HEADER_RFC5424, NULL, NULL, "x",
	    "<163>1 2026-11-02T04:10:30.703333Z - - 4711 new - " },
	{ "an app name has 48 bytes at most", HEADER_RFC5424, "h", LONG_50, "x",
	    "<163>1 2026-11-02T04:10:30.703333Z h " LONG_48 " 4711 new - " },
	{ "a host has 255", HEADER_RFC5424, LONG_250 "0123456789", "a", "x",
	    "<163>1 2026-11-02T04:10:30.703333Z " LONG_250 "01234 a 4711 new - " },
	{ "RFC 3164, its day padded with a space", HEADER_RFC3164, "{customer}", "msspd", "contoso",
	    "<163>Nov  2 04:10:30 contoso " },
	{ "no colon in its host, which would end a tag", HEADER_RFC3164, "{customer}:", "msspd",
	    "a b", "<163>Nov  2 04:10:30 a-b- " },
	{ "nothing is msspd", HEADER_RFC3164, "", "x", "x", "<163>Nov  2 04:10:30 msspd " },
};

static void
make_subject(struct made *m)
{
	make_alert(m);
	m->record.alert.created = ticks_at("2026-11-02T04:10:30.7033333Z");
}

START_TEST(test_header)
{
	struct header_opts opts = { .kind = cases[_i].kind,
		.facility = 20,
		.host = "soc1",
		.hostname = cases[_i].hostname,
		.app_name = cases[_i].app_name,
		.pid = 4711 };
	struct buf out = BUF_INIT(2000);
	struct made m;

	make_subject(&m);
	m.origin.customer = (char *)cases[_i].customer;
	header_write(&out, &m.event, &opts);
	ck_assert_msg(strcmp(out.p, cases[_i].want) == 0, "%s: %s", cases[_i].says, out.p);
	buf_release(&out);
}
END_TEST

static const struct {
	enum severity severity;
	unsigned want;
} severities[] = {
	{ SEVERITY_HIGH, 3 },
	{ SEVERITY_MEDIUM, 4 },
	{ SEVERITY_LOW, 5 },
	{ SEVERITY_INFORMATIONAL, 6 },
	{ SEVERITY_UNKNOWN, 6 },
	{ SEVERITY_OTHER, 4 },
};

#define SD_TAIL \
	" tenant_id=\"" MADE_TENANT_ID "\" customer=\"contoso\" stream=\"alerts\" kind=\"new\"" \
	" severity=\"high\" event_id=\"" MADE_TENANT_ID \
	"/alert:da1_1/2026-11-22T04:10:46.0900000Z\"] "

static const struct {
	const char *says, *tenant, *want;
} structured[] = {
	{ "what is asked for most", "contoso-eu", "[msspd@32473 tenant=\"contoso-eu\"" SD_TAIL },
	{ "quotes, brackets and backslashes are escaped", "a\"]\\b",
	    "[msspd@32473 tenant=\"a\\\"\\]\\\\b\"" SD_TAIL },
	{ "line ends are blanks", "a\nb", "[msspd@32473 tenant=\"a b\"" SD_TAIL },
	{ "what is empty is not there", "", "[msspd@32473" SD_TAIL },
};

START_TEST(test_structured_data)
{
	struct header_opts opts = {
		.facility = 20, .hostname = "h", .app_name = "a", .sd_id = "msspd@32473"
	};
	struct buf out = BUF_INIT(2000);
	struct made m;

	make_subject(&m);
	m.origin.tenant = (char *)(uintptr_t)structured[_i].tenant;
	header_write(&out, &m.event, &opts);
	ck_assert_msg(strcmp(strstr(out.p, " new ") + 5, structured[_i].want) == 0, "%s: %s",
	    structured[_i].says, out.p);
	buf_clear(&out);
	opts.kind = HEADER_RFC3164;
	header_write(&out, &m.event, &opts);
	ck_assert_str_eq(out.p, "<163>Nov  2 04:10:30 h ");
	buf_release(&out);
}
END_TEST

START_TEST(test_sd_id)
{
	static const char *const bad[] = { "", "msspd", "msspd@", "@32473", "a b@1", "a@1]", "a@x",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@1" };
	struct err err;

	ck_assert(header_sd_id_check("msspd@32473", &err));
	ck_assert(header_sd_id_check("our-soc@32473.1", &err));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!header_sd_id_check(bad[i], &err), "%s", bad[i]);
}
END_TEST

START_TEST(test_severity)
{
	struct made m;

	make_alert(&m);
	for (size_t i = 0; i < ARRAY_LEN(severities); i++) {
		m.record.alert.severity = severities[i].severity;
		ck_assert_uint_eq(header_severity(&m.event), severities[i].want);
	}
	make_unreadable(&m, "da1", "why");
	ck_assert_uint_eq(header_severity(&m.event), 4);
}
END_TEST

START_TEST(test_priority)
{
	struct header_opts opts = { .kind = HEADER_RFC3164, .facility = 0, .hostname = "h" };
	struct buf out = BUF_INIT(200);
	struct made m;

	make_subject(&m);
	header_write(&out, &m.event, &opts);
	ck_assert_str_eq(out.p, "<3>Nov  2 04:10:30 h ");
	buf_clear(&out);
	opts.facility = 23;
	m.record.alert.severity = SEVERITY_LOW;
	header_write(&out, &m.event, &opts);
	ck_assert_str_eq(out.p, "<189>Nov  2 04:10:30 h ");
	buf_release(&out);
}
END_TEST

START_TEST(test_frame)
{
	static const char *const want[] = {
		[FRAMING_OCTET] = "3 abc12 hello, world",
		[FRAMING_LF] = "abc\nhello, world\n",
		[FRAMING_NONE] = "abchello, world",
	};

	for (unsigned f = FRAMING_OCTET; f <= FRAMING_NONE; f++) {
		struct buf out = BUF_INIT(100);

		frame_write(&out, STR("abc"), (enum framing)f);
		frame_write(&out, STR("hello, world"), (enum framing)f);
		ck_assert_str_eq(out.p, want[f]);
		buf_release(&out);
	}
}
END_TEST

/* ---- time zones ----------------------------------------------------------------------------- */

static struct zone *
open_zone(const char *name)
{
	struct err err = { 0 };
	struct zone *z = zone_open(name, &err);

	ck_assert_msg(z != NULL, "%s", err.text);
	return z;
}

static const struct {
	const char *says, *zone, *at;
	int want; /* minutes */
} offsets[] = {
	{ "UTC is UTC", "UTC", "2026-07-01T00:00:00Z", 0 },
	{ "winter in Berlin", "Europe/Berlin", "2026-03-29T00:59:59Z", 60 },
	{ "summer begins", "Europe/Berlin", "2026-03-29T01:00:00Z", 120 },
	{ "summer's last second", "Europe/Berlin", "2026-10-25T00:59:59Z", 120 },
	{ "summer ends", "Europe/Berlin", "2026-10-25T01:00:00Z", 60 },
	{ "beyond what tzdata lists", "Europe/Berlin", "2099-07-01T00:00:00Z", 120 },
	{ "winter in New York", "America/New_York", "2026-03-08T06:59:59Z", -300 },
	{ "its summer begins", "America/New_York", "2026-03-08T07:00:00Z", -240 },
	{ "its summer ends", "America/New_York", "2026-11-01T06:00:00Z", -300 },
	{ "half hours", "Asia/Kolkata", "2026-07-01T00:00:00Z", 330 },
	{ "quarter hours in the south", "Pacific/Chatham", "2026-01-01T00:00:00Z", 825 },
	{ "winter in the south", "Australia/Sydney", "2026-07-01T00:00:00Z", 600 },
	{ "the south beyond what tzdata lists", "Australia/Sydney", "2090-01-01T00:00:00Z", 660 },
	{ "where winter is the exception", "Europe/Dublin", "2090-01-01T00:00:00Z", 0 },
	{ "and summer the rule", "Europe/Dublin", "2090-07-01T00:00:00Z", 60 },
	{ "before there were zones", "Europe/Berlin", "1600-01-01T00:00:00Z", 53 },
};

START_TEST(test_offset)
{
	struct zone *z = open_zone(offsets[_i].zone);
	int got = zone_offset(z, ticks_to_sec(ticks_at(offsets[_i].at))) / 60;

	ck_assert_msg(got == offsets[_i].want, "%s: %d", offsets[_i].says, got);
	zone_close(z);
}
END_TEST

static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC",
	"Africa/Casablanca", "America/Nuuk", "America/Argentina/Buenos_Aires", "Antarctica/Troll",
	"Asia/Tehran", "Australia/Lord_Howe", "Europe/Dublin", "Pacific/Apia", "Asia/Gaza" };

/* The C library as the second opinion, every 11 hours or so from 1900 to 2100. */
START_TEST(test_against_libc)
{
	struct zone *z = open_zone(zones[_i]);

	ck_assert_int_eq(setenv("TZ", zones[_i], 1), 0);
	tzset();
	for (int64_t t = -2208988800; t < 4102444800; t += 39601) {
		time_t at = (time_t)t;
		struct tm tm;

		ck_assert_ptr_nonnull(localtime_r(&at, &tm));
		ck_assert_msg(zone_offset(z, t) == (int)tm.tm_gmtoff, "%s at %lld: %d, not %ld",
		    zones[_i], (long long)t, zone_offset(z, t), tm.tm_gmtoff);
	}
	zone_close(z);
}
END_TEST

START_TEST(test_extreme_moments)
{
	struct zone *z = open_zone("Europe/Berlin");

	ck_assert_int_eq(zone_offset(z, INT64_MAX), 3600);
	ck_assert_int_ne(zone_offset(z, INT64_MIN), 0);
	zone_close(z);
	zone_close(NULL);
}
END_TEST

START_TEST(test_zone_in_header)
{
	struct zone *z = open_zone("Asia/Kolkata");
	struct header_opts opts = {
		.kind = HEADER_RFC3164, .facility = 20, .hostname = "h", .zone = z
	};
	struct buf out = BUF_INIT(200);
	struct made m;

	make_subject(&m);
	m.record.alert.created = ticks_at("2026-12-31T20:00:00Z");
	header_write(&out, &m.event, &opts);
	ck_assert_str_eq(out.p, "<163>Jan  1 01:30:00 h ");
	buf_release(&out);
	zone_close(z);
}
END_TEST

static const char *const no_zones[] = { "", "/etc/passwd", "../../../etc/passwd",
	"Europe/../Europe/Berlin", "Europe//Berlin", "Europe/", "Europe", "Nowhere/City",
	"Europe/Berlin\n", "posixrules.", "tzdata.zi", "zone.tab" };

START_TEST(test_no_zone)
{
	struct err err = { 0 };

	ck_assert_msg(zone_open(no_zones[_i], &err) == NULL, "<%s>", no_zones[_i]);
	ck_assert_int_eq(err.kind, ERR_CONF);
	ck_assert_uint_gt(strlen(err.text), 10);
}
END_TEST

static const struct {
	const char *says, *text, *at;
	int want; /* seconds; only when it is a rule */
	bool is_rule;
} rules[] = {
	{ "no summer", "UTC0", "2026-07-01T00:00:00Z", 0, true },
	{ "a name in brackets", "<+0530>-5:30", "2026-07-01T00:00:00Z", 19800, true },
	{ "seconds", "LMT-0:53:28", "2026-07-01T00:00:00Z", 3208, true },
	{ "the usual rule", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z", 7200, true },
	{ "days of the year, without leap days", "AAA0BBB,J60,J365", "2024-03-01T02:00:00Z", 3600,
	    true },
	{ "the day before", "AAA0BBB,J60,J365", "2024-02-29T23:00:00Z", 0, true },
	{ "days of the year, with leap days", "AAA0BBB,59,364", "2024-02-29T02:00:00Z", 3600,
	    true },
	{ "summer's own offset", "AAA0BBB-2,J1/0,J365/25", "2026-07-01T00:00:00Z", 7200, true },
	{ "hours before midnight", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200,
	    true },
	{ "and from there on", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600,
	    true },
	{ "no rule for summer", "CET-1CEST", "", 0, false },
	{ "a name too short", "CE-1", "", 0, false },
	{ "an open bracket", "<CET-1", "", 0, false },
	{ "no offset", "CET", "", 0, false },
	{ "an hour too many", "CET-25", "", 0, false },
	{ "no such month", "CET-1CEST,M13.5.0,M10.5.0", "", 0, false },
	{ "no such week", "CET-1CEST,M3.6.0,M10.5.0", "", 0, false },
	{ "week nought", "CET-1CEST,M3.0.0,M10.5.0", "", 0, false },
	{ "no such day", "CET-1CEST,J0,J5", "", 0, false },
	{ "something behind it", "CET-1CEST,M3.5.0,M10.5.0/3,", "", 0, false },
	{ "nothing", "", "", 0, false },
};

START_TEST(test_rule)
{
	struct zone_rule r;
	bool ok = zone_rule_parse(str_of(rules[_i].text), &r);

	ck_assert_msg(ok == rules[_i].is_rule, "%s", rules[_i].says);
	if (!ok)
		return;
	ck_assert_msg(zone_rule_offset(&r, ticks_to_sec(ticks_at(rules[_i].at))) == rules[_i].want,
	    "%s: %d", rules[_i].says, zone_rule_offset(&r, ticks_to_sec(ticks_at(rules[_i].at))));
}
END_TEST

/* Damaged files: each cut and each changed byte of a real one is refused or read, never worse. */
START_TEST(test_damaged_file)
{
	char dir[] = "/tmp/check_header.XXXXXX", path[64];
	unsigned char data[8192];
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/Zone", dir);
	setenv("TZDIR", dir, 1);
	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };
		struct zone *z;

		data[i] ^= 0xff;
		f = fopen(path, "wb");
		ck_assert_ptr_nonnull(f);
		fwrite(data, 1, i % 2 == 0 ? n : i, f);
		fclose(f);
		data[i] ^= 0xff;
		z = zone_open("Zone", &err);
		if (z != NULL)
			zone_offset(z, 1795320630);
		zone_close(z);
	}
	unlink(path);
	rmdir(dir);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("header");
	TCase *tc = tcase_create("header");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_header, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_structured_data, 0, (int)ARRAY_LEN(structured));
	tcase_add_test(tc, test_sd_id);
	tcase_add_test(tc, test_severity);
	tcase_add_test(tc, test_priority);
	tcase_add_test(tc, test_frame);
	tcase_add_loop_test(tc, test_offset, 0, (int)ARRAY_LEN(offsets));
	tcase_add_loop_test(tc, test_against_libc, 0, (int)ARRAY_LEN(zones));
	tcase_add_test(tc, test_extreme_moments);
	tcase_add_test(tc, test_zone_in_header);
	tcase_add_loop_test(tc, test_no_zone, 0, (int)ARRAY_LEN(no_zones));
	tcase_add_loop_test(tc, test_rule, 0, (int)ARRAY_LEN(rules));
	tcase_add_test(tc, test_damaged_file);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
