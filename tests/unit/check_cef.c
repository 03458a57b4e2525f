/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cef_stage.h"
#include "tests/unit/golden.h"

/* The mapping: members of an alert, a key, the value; and whole lines. */

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
	tcase_add_loop_test(tc, test_mapping, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_golden);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
