/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "tests/unit/cef_parse.h"
#include "tests/unit/golden.h"

static const struct format_opts plenty = { .max_bytes = 60000 };

/* One event as a line, parsed again. */
struct line {
	struct buf text;
	struct cef_parsed cef;
};

static void
write_line(struct line *l, const struct event *ev, const struct format_opts *opts)
{
	const char *wrong;

	buf_init(&l->text, opts->max_bytes);
	ck_assert(format_cef.write(&l->text, ev, opts));
	wrong = cef_parse(&l->cef, buf_peek(&l->text));
	ck_assert_msg(wrong == NULL, "%s: %s", wrong, l->text.p);
	ck_assert_uint_le(l->text.n, opts->max_bytes);
}

static void
release(struct line *l)
{
	cef_parsed_release(&l->cef);
	buf_release(&l->text);
}

/* ---- the mapping: members of an alert, a key, the value ------------------------------- */

#define EVIDENCE(type, members) \
	"{\"@odata.type\":\"#microsoft.graph.security." type "\"," members "}"
#define DEVICE(members) EVIDENCE("deviceEvidence", members)
#define SHA1            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *says, *members, *key, *want; /* want NULL: no such key */
	enum event_kind kind;
} cases[] = {
	{ "the alert's id is externalId", "\"x\":1", "externalId", "da1_1", KIND_NEW },
	{ "and flexString2, with its label", "\"x\":1", "flexString2Label", "AlertId", KIND_NEW },
	{ "the event id is a key of its own", "\"x\":1", "MicrosoftDefenderEventId",
	    MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z", KIND_NEW },
	{ "the tenant is the configured one", "\"x\":1", "cs3", MADE_TENANT_ID, KIND_NEW },
	{ "the customer is named for people", "\"x\":1", "cs4", "Contoso Ltd", KIND_NEW },
	{ "act is the kind of event", "\"x\":1", "act", "escalated", KIND_ESCALATED },
	{ "description is msg", "\"description\":\"a = b\\nc\"", "msg", "a = b\nc", KIND_NEW },
	{ "recommended actions are reason", "\"recommendedActions\":\"do\"", "reason", "do",
	    KIND_NEW },
	{ "a value of spaces is no key", "\"description\":\" \\t \"", "msg", NULL, KIND_NEW },
	{ "category is cat", "\"category\":\"Execution\"", "cat", "Execution", KIND_NEW },
	{ "the first of categories where there is no category",
	    "\"category\":null,\"categories\":[\"Impact\",\"x\"]", "cat", "Impact", KIND_NEW },
	{ "the incident is a number", "\"incidentId\":\"40817\"", "cn1", "40817", KIND_NEW },
	{ "or text in a key of its own", "\"incidentId\":\"x40\"", "cn1", NULL, KIND_NEW },
	{ "which is this", "\"incidentId\":\"x40\"", "MicrosoftDefenderIncidentId", "x40",
	    KIND_NEW },
	{ "a number too long for a receiver is text", "\"incidentId\":\"99999999999999999999\"",
	    "MicrosoftDefenderIncidentId", "99999999999999999999", KIND_NEW },
	{ "status is cs5", "\"status\":\"inProgress\"", "cs5", "inProgress", KIND_NEW },
	{ "classification and determination are the verdict",
	    "\"classification\":\"truePositive\",\"determination\":\"malware\"", "cs6",
	    "truePositive/malware", KIND_NEW },
	{ "classification alone", "\"classification\":\"falsePositive\"", "cs6", "falsePositive",
	    KIND_NEW },
	{ "determination alone", "\"determination\":\"malware\"", "cs6", "unknown/malware",
	    KIND_NEW },
	{ "no verdict is no key", "\"x\":1", "cs6Label", NULL, KIND_NEW },
	{ "threat name before family", "\"threatDisplayName\":\"A\",\"threatFamilyName\":\"B\"",
	    "cs1", "A", KIND_NEW },
	{ "threat family without a name", "\"threatFamilyName\":\"B\"", "cs1", "B", KIND_NEW },
	{ "techniques are a list", "\"mitreTechniques\":[\"T1\",\"T2.003\"]", "cs2", "T1,T2.003",
	    KIND_NEW },
	{ "actor", "\"actorDisplayName\":\"Storm-1\"", "MicrosoftDefenderActor", "Storm-1",
	    KIND_NEW },
	{ "service", "\"serviceSource\":\"microsoftDefenderForIdentity\"", "sourceServiceName",
	    "microsoftDefenderForIdentity", KIND_NEW },
	{ "detection source", "\"detectionSource\":\"antivirus\"", "deviceFacility", "antivirus",
	    KIND_NEW },
	{ "the link of the API, with = escaped on the way",
	    "\"alertWebUrl\":\"https://security.microsoft.com/alerts/da1_1?tid=" MADE_TENANT_ID
	    "\"",
	    "flexString1", "https://security.microsoft.com/alerts/da1_1?tid=" MADE_TENANT_ID,
	    KIND_NEW },
	{ "assignedTo is nobody's user", "\"assignedTo\":\"ana\"", "suser", NULL, KIND_NEW },

	{ "rt of a new alert is its creation",
	    "\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\"", "rt", "1795320630703",
	    KIND_NEW },
	{ "rt of an update is the update", "\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\"",
	    "rt", "1795320646090", KIND_UPDATED },
	{ "rt of a resolution is when it was resolved",
	    "\"resolvedDateTime\":\"2026-11-22T04:10:40Z\"", "rt", "1795320640000", KIND_RESOLVED },
	{ "or the update where it does not say", "\"x\":1", "rt", "1795320646090", KIND_RESOLVED },
	{ "rt of a new one without creation is the update", "\"x\":1", "rt", "1795320646090",
	    KIND_NEW },
	{ "activity is start and end", "\"firstActivityDateTime\":\"1970-01-01T00:00:01Z\"",
	    "start", "1000", KIND_NEW },
	{ "the end", "\"lastActivityDateTime\":\"1970-01-01T00:00:02.9999999Z\"", "end", "2999",
	    KIND_NEW },
	{ "the year 1 is no time", "\"firstActivityDateTime\":\"0001-01-01T00:00:00Z\"", "start",
	    NULL, KIND_NEW },
	{ "no time before 1970", "\"firstActivityDateTime\":\"1969-12-31T23:59:59Z\"", "start",
	    NULL, KIND_NEW },
	{ "creation is a custom date", "\"createdDateTime\":\"1970-01-01T00:00:03Z\"",
	    "deviceCustomDate1", "3000", KIND_UPDATED },
	{ "so is resolution", "\"resolvedDateTime\":\"1970-01-01T00:00:04Z\"", "deviceCustomDate2",
	    "4000", KIND_UPDATED },

	{ "evidence is counted",
	    "\"evidence\":[{\"@odata.type\":\"#x.y\"},{\"@odata.type\":\"#x.y\"}]", "cn2", "2",
	    KIND_NEW },
	{ "the count is there without any", "\"evidence\":[]", "cn2", "0", KIND_NEW },
	{ "a device's name",
	    "\"evidence\":[" DEVICE(
		"\"hostName\":\"pc7\",\"deviceDnsName\":\"pc7.corp.example\"") "]",
	    "shost", "pc7.corp.example", KIND_NEW },
	{ "the host where there is no DNS name",
	    "\"evidence\":[" DEVICE("\"hostName\":\"pc7\"") "]", "dvchost", "pc7", KIND_NEW },
	{ "its id", "\"evidence\":[" DEVICE("\"mdeDeviceId\":\"73e7\"") "]", "deviceExternalId",
	    "73e7", KIND_NEW },
	{ "its domain",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"dnsDomain\":\"corp.example\"") "]",
	    "sourceDnsDomain", "corp.example", KIND_NEW },
	{ "a primary device before others",
	    "\"evidence\":[" DEVICE("\"hostName\":\"first\"") "," DEVICE(
		"\"hostName\":\"second\",\"detailedRoles\":[\"PrimaryDevice\"]") "]",
	    "shost", "second", KIND_NEW },
	{ "its keys come from one device only",
	    "\"evidence\":[" DEVICE("\"hostName\":\"first\"") "," DEVICE(
		"\"hostName\":\"second\",\"mdeDeviceId\":\"22\"") "]",
	    "deviceExternalId", NULL, KIND_NEW },
	{ "an empty device does not hide the next",
	    "\"evidence\":[" DEVICE("\"hostName\":null") "," DEVICE("\"hostName\":\"second\"") "]",
	    "shost", "second", KIND_NEW },
	{ "a device within another kind",
	    "\"evidence\":[" EVIDENCE(
		"hostLogonSessionEvidence", "\"host\":" DEVICE("\"hostName\":\"inner\"")) "]",
	    "shost", "inner", KIND_NEW },
	{ "its address, a private one where there is no other",
	    "\"evidence\":[" DEVICE(
		"\"hostName\":\"a\",\"ipInterfaces\":[\"127.0.0.1\",\"10.1.2.3\",\"fe80::1\"],"
	        "\"lastExternalIpAddress\":\"203.0.113.9\"") "]",
	    "src", "10.1.2.3", KIND_NEW },
	{ "of equal ones the first",
	    "\"evidence\":[" DEVICE(
		"\"hostName\":\"a\",\"ipInterfaces\":[\"10.1.2.3\",\"10.9.9.9\"]") "]",
	    "src", "10.1.2.3", KIND_NEW },
	{ "a global one first",
	    "\"evidence\":[" DEVICE(
		"\"hostName\":\"a\",\"ipInterfaces\":[\"10.1.2.3\",\"198.51.100.7\"]") "]",
	    "src", "198.51.100.7", KIND_NEW },
	{ "the last address counts too",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"lastIpAddress\":\"10.0.0.9\"") "]", "src",
	    "10.0.0.9", KIND_NEW },
	{ "the site's address when there is nothing else",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"ipInterfaces\":[\"127.0.0.1\"],"
	                            "\"lastExternalIpAddress\":\"203.0.113.9\"") "]",
	    "src", "203.0.113.9", KIND_NEW },
	{ "an IPv6 address has its own key",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"ipInterfaces\":[\"fe80::1\",\"fd00::1\","
	                            "\"2001:db8::1\"]") "]",
	    "c6a2", "2001:db8::1", KIND_NEW },
	{ "a link-local one names nothing",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"ipInterfaces\":[\"fe80::1\"]") "]",
	    "c6a2Label", NULL, KIND_NEW },
	{ "text is never an address",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\",\"ipInterfaces\":[\"10.1.2.3 "
	                            "x=y\",\"10.1.2.300\",\"1.2.3\"]") "]",
	    "src", NULL, KIND_NEW },
	{ "an address beside a device is the far side",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\"") "," EVIDENCE(
		"ipEvidence", "\"ipAddress\":\"198.51.100.1\"") "]",
	    "dst", "198.51.100.1", KIND_NEW },
	{ "without one it is the source",
	    "\"evidence\":[" EVIDENCE("ipEvidence", "\"ipAddress\":\"198.51.100.1\"") "]", "src",
	    "198.51.100.1", KIND_NEW },
	{ "likewise IPv6",
	    "\"evidence\":[" DEVICE("\"hostName\":\"a\"") "," EVIDENCE(
		"ipEvidence", "\"ipAddress\":\"2001:db8::2\"") "]",
	    "c6a3", "2001:db8::2", KIND_NEW },
	{ "a user",
	    "\"evidence\":[" EVIDENCE(
		"userEvidence", "\"userAccount\":{\"accountName\":\"ana\",\"userPrincipalName\":"
	                        "\"ana@corp.example\"}") "]",
	    "suser", "ana@corp.example", KIND_NEW },
	{ "a user's SID",
	    "\"evidence\":[" EVIDENCE("userEvidence",
		"\"userAccount\":{\"accountName\":\"ana\",\"userSid\":\"S-1-5\"}") "]",
	    "suid", "S-1-5", KIND_NEW },
	{ "the account of a process where there is no user",
	    "\"evidence\":[" EVIDENCE("processEvidence",
		"\"userAccount\":{\"accountName\":\"svc\",\"domainName\":\"CORP\"}") "]",
	    "sntdom", "CORP", KIND_NEW },
	{ "never two users in one",
	    "\"evidence\":[" EVIDENCE("userEvidence",
		"\"userAccount\":{\"accountName\":\"ana\"}") "," EVIDENCE("processEvidence",
		"\"userAccount\":{\"accountName\":\"svc\",\"domainName\":\"CORP\"}") "]",
	    "sntdom", NULL, KIND_NEW },
	{ "a process is folder and name",
	    "\"evidence\":[" EVIDENCE("processEvidence",
		"\"imageFile\":{\"fileName\":\"a.exe\",\"filePath\":\"C:\\\\Windows\"}") "]",
	    "sproc", "C:\\Windows\\a.exe", KIND_NEW },
	{ "and no more than that",
	    "\"evidence\":[" EVIDENCE(
		"processEvidence", "\"processId\":4780,\"imageFile\":{\"fileName\":\"a.exe\","
	                           "\"filePath\":\"C:\\\\W\\\\\"}") "]",
	    "sproc", "C:\\W\\a.exe", KIND_NEW },
	{ "also where the folder is the whole path",
	    "\"evidence\":[" EVIDENCE("processEvidence",
		"\"imageFile\":{\"fileName\":\"a.exe\",\"filePath\":\"C:\\\\x\\\\a.exe\"}") "]",
	    "sproc", "C:\\x\\a.exe", KIND_NEW },
	{ "and on other systems",
	    "\"evidence\":[" EVIDENCE(
		"processEvidence", "\"imageFile\":{\"fileName\":\"sh\",\"filePath\":\"/bin\"}") "]",
	    "sproc", "/bin/sh", KIND_NEW },
	{ "its number", "\"evidence\":[" EVIDENCE("processEvidence", "\"processId\":4780") "]",
	    "spid", "4780", KIND_NEW },
	{ "no number is no key",
	    "\"evidence\":[" EVIDENCE(
		"processEvidence", "\"processId\":null,\"processCommandLine\":\"x\"") "]",
	    "spid", NULL, KIND_NEW },
	{ "its command line",
	    "\"evidence\":[" EVIDENCE(
		"processEvidence", "\"processCommandLine\":\"a.exe -x=1 cs3=forged\"") "]",
	    "MicrosoftDefenderCommandLine", "a.exe -x=1 cs3=forged", KIND_NEW },
	{ "a file's name",
	    "\"evidence\":[" EVIDENCE(
		"fileEvidence", "\"fileDetails\":{\"fileName\":\"m.doc\"}") "]",
	    "fname", "m.doc", KIND_NEW },
	{ "its size",
	    "\"evidence\":[" EVIDENCE(
		"fileEvidence", "\"fileDetails\":{\"fileName\":\"m\",\"fileSize\":0}") "]",
	    "fsize", "0", KIND_NEW },
	{ "its SHA-1",
	    "\"evidence\":[" EVIDENCE("fileEvidence",
		"\"fileDetails\":{\"sha1\":\"" SHA1 "\",\"sha256\":\"" SHA256 "\"}") "]",
	    "fileHash", SHA1, KIND_NEW },
	{ "its SHA-256 in a key of its own",
	    "\"evidence\":[" EVIDENCE("fileEvidence",
		"\"fileDetails\":{\"sha1\":\"" SHA1 "\",\"sha256\":\"" SHA256 "\"}") "]",
	    "MicrosoftDefenderSha256", SHA256, KIND_NEW },
	{ "SHA-256 where there is no SHA-1",
	    "\"evidence\":[" EVIDENCE(
		"fileEvidence", "\"fileDetails\":{\"sha256\":\"" SHA256 "\"}") "]",
	    "fileHash", SHA256, KIND_NEW },
	{ "a hash alone",
	    "\"evidence\":[" EVIDENCE(
		"fileHashEvidence", "\"algorithm\":\"sha256\",\"value\":\"" SHA256 "\"") "]",
	    "MicrosoftDefenderSha256", SHA256, KIND_NEW },
	{ "never the hash of another file",
	    "\"evidence\":[" EVIDENCE("fileHashEvidence",
		"\"algorithm\":\"sha1\",\"value\":\"" SHA1
		"\"") "," EVIDENCE("fileEvidence", "\"fileDetails\":{\"fileName\":\"m.doc\"}") "]",
	    "fileHash", NULL, KIND_NEW },
	{ "a URL",
	    "\"evidence\":[" EVIDENCE("urlEvidence", "\"url\":\"http://x.example/?a=b\"") "]",
	    "request", "http://x.example/?a=b", KIND_NEW },
	{ "a mail's sender",
	    "\"evidence\":[" EVIDENCE(
		"analyzedMessageEvidence", "\"p1Sender\":{\"emailAddress\":\"e@x.example\"},"
	                                   "\"p2Sender\":{\"emailAddress\":\"h@x.example\"}") "]",
	    "suser", "h@x.example", KIND_NEW },
	{ "and recipient",
	    "\"evidence\":[" EVIDENCE(
		"analyzedMessageEvidence", "\"recipientEmailAddress\":\"r@x.example\"") "]",
	    "duser", "r@x.example", KIND_NEW },
	{ "a mailbox",
	    "\"evidence\":[" EVIDENCE("mailboxEvidence", "\"primaryAddress\":\"b@x.example\"") "]",
	    "duser", "b@x.example", KIND_NEW },
	{ "a cloud application",
	    "\"evidence\":[" EVIDENCE("cloudApplicationEvidence", "\"displayName\":\"Box\"") "]",
	    "destinationServiceName", "Box", KIND_NEW },
	{ "an OAuth application",
	    "\"evidence\":[" EVIDENCE("oauthApplicationEvidence", "\"displayName\":\"App\"") "]",
	    "destinationServiceName", "App", KIND_NEW },
	{ "malware's files",
	    "\"evidence\":[" EVIDENCE(
		"malwareEvidence", "\"name\":\"W\",\"files\":[" EVIDENCE("fileEvidence",
				       "\"fileDetails\":{\"fileName\":\"in.exe\"}") "]") "]",
	    "fname", "in.exe", KIND_NEW },
};

START_TEST(test_mapping)
{
	char *json = xasprintf("{\"id\":\"da1_1\",\"severity\":\"high\","
			       "\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\",%s}",
	    cases[_i].members);
	struct made m;
	struct record *r = make_from_json(&m, str_of(json));
	struct line l;
	struct str got;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	m.event.kind = cases[_i].kind;
	write_line(&l, &m.event, &plenty);
	got = cef_get(&l.cef, cases[_i].key);
	ck_assert_msg(
	    cases[_i].want == NULL ? got.s == NULL : got.s != NULL && str_is(got, cases[_i].want),
	    "%s: %s is <%.*s> in %s", cases[_i].says, cases[_i].key, STR_ARG(got), l.text.p);
	release(&l);
	record_unref(r);
	free(json);
}
END_TEST

/* ---- the header ----------------------------------------------------------------------- */

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

/* ---- lines that are too long ------------------------------------------------------------- */

static void
make_full(struct made *m, struct evidence *e, char *text, size_t n)
{
	struct str s = { text, n };
	struct alert *a = &m->record.alert;

	memset(text, 'x', n);
	for (size_t i = 5; i < n; i += 7)
		memcpy(text + i - 5, "\xc3\xa9=\\\n", 5);
	make_alert(m);
	m->event.kind = KIND_RESOLVED;
	m->event.changed = 0x1ff;
	m->event.flags = EVENT_BACKFILL;
	a->description = a->recommended_actions = a->title = a->category = a->threat_display_name =
	    s;
	a->classification = a->determination = a->status_text = a->service_source = s;
	a->detection_source = a->actor_display_name = a->detector_id = s;
	a->incident_id = STR("123456789");
	a->resolved = a->first_activity = a->last_activity = a->updated;
	a->mitre_techniques = &a->description;
	a->nmitre_techniques = 1;
	e[0] = make_evidence(EVIDENCE_DEVICE);
	e[0].device.dns_name = e[0].device.dns_domain = e[0].device.mde_device_id = s;
	e[0].device.last_ip = STR("10.0.0.1");
	e[1] = make_evidence(EVIDENCE_PROCESS);
	e[1].process.command_line = e[1].process.image.path = e[1].process.image.name = s;
	e[1].process.account.upn = e[1].process.account.domain_name = e[1].process.account.sid = s;
	e[1].process.pid = INT64_MAX;
	e[2] = make_evidence(EVIDENCE_FILE);
	e[2].file.details.name = e[2].file.details.path = e[2].file.details.sha256 = s;
	e[3] = make_evidence(EVIDENCE_URL);
	e[3].url.url = s;
	e[4] = make_evidence(EVIDENCE_MESSAGE);
	e[4].message.recipient = s;
	e[5] = make_evidence(EVIDENCE_CLOUD_APP);
	e[5].cloud_app.display_name = s;
	a->evidence = e;
	a->nevidence = a->nevidence_all = 6;
}

static void
check_kept(const struct cef_parsed *p)
{
	static const char *const keys[] = { "rt", "act", "flexString2", "flexString2Label",
		"MicrosoftDefenderEventId", "cs3", "cs3Label", "cs4", "cs4Label" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_msg(cef_get(p, keys[i]).n > 0, "%s is missing", keys[i]);
	ck_assert(str_is(cef_get(p, "flexString2"), "da1_1"));
	ck_assert(str_is(cef_get(p, "cs3"), MADE_TENANT_ID));
}

START_TEST(test_every_size)
{
	struct evidence e[6];
	char text[3000];
	struct made m;

	struct line whole;

	make_full(&m, e, text, sizeof(text));
	write_line(&whole, &m.event, &plenty);
	for (size_t max = 1600; max < whole.text.n + 100; max += max < 3000 ? 1 : 37) {
		struct format_opts opts = { .max_bytes = max };
		struct line l;

		write_line(&l, &m.event, &opts);
		check_kept(&l.cef);
		/* No more is given up than one whole key. */
		ck_assert(max < 10000 || max > whole.text.n || l.text.n > max - 1200);
		ck_assert_int_eq(max >= whole.text.n, l.text.n == whole.text.n);
		release(&l);
	}
	release(&whole);
}
END_TEST

/* 480 bytes, the least that RFC 5424 promises, hold an alert with an id of Microsoft's length. */
/* A key that is begun and given up needs no room for that: a line may be as long as it may be. */
START_TEST(test_blank_at_the_end)
{
	struct evidence e[6];
	char text[3000];
	struct line whole, l;
	struct made m;

	make_full(&m, e, text, sizeof(text));
	m.record.alert.recommended_actions = STR(" \n ");
	write_line(&whole, &m.event, &plenty);
	for (size_t max = whole.text.n - 20; max < whole.text.n + 20; max++) {
		struct format_opts opts = { .max_bytes = max };

		write_line(&l, &m.event, &opts);
		ck_assert_uint_le(l.text.n, max);
		release(&l);
	}
	release(&whole);
}
END_TEST

START_TEST(test_long_class)
{
	char text[900];
	struct line l;
	struct made m;

	memset(text, 'd', sizeof(text));
	make_alert(&m);
	m.record.alert.detector_id = (struct str){ text, sizeof(text) };
	write_line(&l, &m.event, &(struct format_opts){ .max_bytes = 900 });
	release(&l);
}
END_TEST

START_TEST(test_least_size)
{
	struct format_opts opts = { .max_bytes = 480 };
	struct evidence e[6];
	char text[300];
	struct made m;
	struct line l;

	make_full(&m, e, text, sizeof(text));
	m.record.alert.detector_id = STR("7f1c3609-a3ff-40e2-995b-c01770161d68");
	m.record.alert.service_source = STR("microsoftInsiderRiskManagement");
	m.record.id = STR("daefa1828b-dd4e-405c-8a3b-aa28596830dd_1");
	write_line(&l, &m.event, &opts);
	ck_assert(
	    str_is(cef_get(&l.cef, "flexString2"), "daefa1828b-dd4e-405c-8a3b-aa28596830dd_1"));
	ck_assert(str_is(cef_get(&l.cef, "act"), "resolved"));
	release(&l);
}
END_TEST

/* Reason goes first, then msg, then the rest of the long text, and nothing else meanwhile. */
START_TEST(test_shorten_order)
{
	static const char *const order[] = { "reason", "msg", "cs2", "cs1", "cs6", "cs5",
		"MicrosoftDefenderCommandLine" };
	size_t full[ARRAY_LEN(order)], floor_seen = 0;
	struct evidence e[6];
	char text[3000];
	struct made m;
	struct line l;

	make_full(&m, e, text, sizeof(text));
	write_line(&l, &m.event, &plenty);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		full[i] = cef_get(&l.cef, order[i]).n;
	for (size_t max = l.text.n; max > 22000; max -= 50) {
		struct format_opts opts = { .max_bytes = max };
		struct line s;
		size_t touched = 0;

		write_line(&s, &m.event, &opts);
		for (size_t i = 0; i < ARRAY_LEN(order); i++) {
			if (cef_get(&s.cef, order[i]).n < full[i])
				touched = i + 1;
		}
		for (size_t i = 0; i + 1 < touched; i++)
			ck_assert_msg(
			    cef_get(&s.cef, order[i]).n <= 64, "%s is not short", order[i]);
		ck_assert_uint_ge(touched, floor_seen);
		floor_seen = touched;
		release(&s);
	}
	ck_assert_uint_gt(floor_seen, 2);
	release(&l);
}
END_TEST

/* Too small for anything, or a buf without room: nothing is written, and the buf is as before. */
START_TEST(test_no_room)
{
	struct format_opts tiny = { .max_bytes = 200 };
	struct buf out = BUF_INIT(300);
	struct made m;

	make_alert(&m);
	buf_puts(&out, "before");
	ck_assert(!format_cef.write(&out, &m.event, &tiny));
	ck_assert_str_eq(out.p, "before");
	ck_assert(!format_cef.write(&out, &m.event, &plenty));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

/* ---- golden lines ------------------------------------------------------------------------- */

static void
check_golden(const char *name, const struct golden *g)
{
	struct line l;

	write_line(&l, &g->made.event, &g->opts);
	buf_byte(&l.text, '\n');
	ck_assert_msg(str_same(buf_peek(&l.text), g->want), "%s gives\n%s", name, l.text.p);
	release(&l);
}

START_TEST(test_golden)
{
	ck_assert_uint_ge(golden_each("tests/data/cef", check_golden), 8);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cef");
	TCase *tc = tcase_create("cef");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_mapping, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_header, 0, (int)ARRAY_LEN(headers));
	tcase_add_loop_test(tc, test_product, 0, (int)ARRAY_LEN(products));
	tcase_add_test(tc, test_event);
	tcase_add_test(tc, test_long_ids);
	tcase_add_test(tc, test_health);
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_every_size);
	tcase_add_test(tc, test_blank_at_the_end);
	tcase_add_test(tc, test_long_class);
	tcase_add_test(tc, test_least_size);
	tcase_add_test(tc, test_shorten_order);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_golden);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
