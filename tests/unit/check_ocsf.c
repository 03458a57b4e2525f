/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/golden.h"
#include "tests/unit/ocsf_stage.h"

/* ---- the mapping: members of an alert, a path, the value as JSON ------------------------- */

#define EVIDENCE(type, members) \
	"\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security." type "\"," members "}]"
#define SHA1        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define IN(members) "evidences[0]." members
#define FOUR        "\"r\",\"r\",\"r\",\"r\","
#define SIXTEEN     FOUR FOUR FOUR FOUR

static const struct {
	const char *says, *members, *path, *want;
	enum event_kind kind;
} cases[] = {
	{ "an alert is a detection finding", "\"x\":1", "class_uid", "2004", KIND_NEW },
	{ "new is created", "\"x\":1", "type_uid", "200401", KIND_NEW },
	{ "and an alert to look at", "\"x\":1", "is_alert", "true", KIND_NEW },
	{ "escalated is updated", "\"x\":1", "activity_id", "2", KIND_ESCALATED },
	{ "updated is updated", "\"x\":1", "type_uid", "200402", KIND_UPDATED },
	{ "and no new alert", "\"x\":1", "is_alert", "false", KIND_UPDATED },
	{ "reopened is updated", "\"x\":1", "activity_name", "\"Update\"", KIND_REOPENED },
	{ "resolved is closed", "\"x\":1", "type_name", "\"Detection Finding: Close\"",
	    KIND_RESOLVED },
	{ "metadata.uid is the event id", "\"x\":1", "metadata.uid",
	    "\"" MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z\"", KIND_NEW },
	{ "the alert's id", "\"x\":1", "metadata.original_event_uid", "\"da1_1\"", KIND_NEW },
	{ "the tenant", "\"x\":1", "metadata.tenant_uid", "\"" MADE_TENANT_ID "\"", KIND_NEW },
	{ "the schema's version", "\"x\":1", "metadata.version", "\"1.8.0\"", KIND_NEW },
	{ "the product is one of a list",
	    "\"serviceSource\":\"microsoftDefenderForIdentity\",\"productName\":\"x\"",
	    "metadata.product.name", "\"Microsoft Defender for Identity\"", KIND_NEW },
	{ "whatever the network says", "\"serviceSource\":\"evil\"", "metadata.product.name",
	    "\"Microsoft Defender\"", KIND_NEW },
	{ "the name that Microsoft gave stands with the finding", "\"productName\":\"X\"",
	    "finding_info.product.name", "\"X\"", KIND_NEW },
	{ "labels", "\"x\":1", "metadata.labels",
	    "[\"customer:contoso\",\"tenant:contoso-eu\",\"tier:gold\",\"region:eu\"]", KIND_NEW },
	{ "the customer is the account", "\"x\":1", "cloud.account",
	    "{\"name\":\"Contoso Ltd\",\"type\":\"M365 "
	    "Tenant\",\"type_id\":17,\"uid\":\"" MADE_TENANT_ID "\"}",
	    KIND_NEW },
	{ "time of a new alert is its creation",
	    "\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\"", "time", "1795320630703",
	    KIND_NEW },
	{ "of an updated one its update", "\"createdDateTime\":\"2026-11-22T04:10:30.7Z\"", "time",
	    "1795320646090", KIND_UPDATED },
	{ "of a resolved one its end", "\"resolvedDateTime\":\"2026-11-22T04:10:40Z\"", "time",
	    "1795320640000", KIND_RESOLVED },
	{ "which is end_time, too", "\"resolvedDateTime\":\"2026-11-22T04:10:40Z\"", "end_time",
	    "1795320640000", KIND_RESOLVED },
	{ "and no other's", "\"resolvedDateTime\":\"2026-11-22T04:10:40Z\"", "end_time", "",
	    KIND_UPDATED },

	{ "severity high is 4", "\"severity\":\"high\"", "severity_id", "4", KIND_NEW },
	{ "medium 3", "\"severity\":\"medium\"", "severity", "\"Medium\"", KIND_NEW },
	{ "low 2", "\"severity\":\"Low\"", "severity_id", "2", KIND_NEW },
	{ "informational 1", "\"severity\":\"informational\"", "severity_id", "1", KIND_NEW },
	{ "a word of next year is 99", "\"severity\":\"dire\"", "severity_id", "99", KIND_NEW },
	{ "and the word", "\"severity\":\"dire\"", "severity", "\"dire\"", KIND_NEW },
	{ "none is unknown", "\"severity\":null", "severity_id", "0", KIND_NEW },
	{ "status in progress", "\"status\":\"inProgress\"", "status_id", "2", KIND_NEW },
	{ "status resolved is 4", "\"status\":\"resolved\"", "status", "\"Resolved\"", KIND_NEW },
	{ "false positive", "\"classification\":\"falsePositive\"", "verdict_id", "1", KIND_NEW },
	{ "true positive", "\"classification\":\"truePositive\",\"determination\":\"malware\"",
	    "verdict_id", "2", KIND_NEW },
	{ "expected activity is benign", "\"classification\":\"informationalExpectedActivity\"",
	    "verdict", "\"Benign\"", KIND_NEW },
	{ "a test", "\"classification\":\"x\",\"determination\":\"securityTesting\"", "verdict_id",
	    "6", KIND_NEW },
	{ "not enough data", "\"determination\":\"notEnoughDataToValidate\"", "verdict_id", "7",
	    KIND_NEW },
	{ "the determination is a type",
	    "\"category\":\"Malware\",\"categories\":[\"Malware\",\"Execution\"],"
	    "\"determination\":\"malware\"",
	    "finding_info.types", "[\"Malware\",\"Execution\",\"malware\"]", KIND_NEW },

	{ "message is the title", "\"title\":\"T\"", "message", "\"T\"", KIND_NEW },
	{ "which is never missing", "\"title\":\"\"", "finding_info.title",
	    "\"Microsoft Defender alert\"", KIND_NEW },
	{ "description", "\"description\":\"a\\nb\"", "finding_info.desc", "\"a\\nb\"", KIND_NEW },
	{ "provider's id", "\"providerAlertId\":\"p\"", "finding_info.uid_alt", "\"p\"", KIND_NEW },
	{ "the year 1 is no time", "\"firstActivityDateTime\":\"0001-01-01T00:00:00Z\"",
	    "finding_info.first_seen_time", "", KIND_NEW },
	{ "first activity", "\"firstActivityDateTime\":\"1970-01-01T00:00:01.5Z\"",
	    "finding_info.first_seen_time", "1500", KIND_NEW },
	{ "last activity", "\"lastActivityDateTime\":\"1970-01-01T00:00:01.5Z\"",
	    "finding_info.last_seen_time", "1500", KIND_NEW },
	{ "the portal's link", "\"x\":1", "finding_info.src_url",
	    "\"https://security.microsoft.com/alerts/da1_1?tid=" MADE_TENANT_ID "\"", KIND_NEW },
	{ "detection source", "\"detectionSource\":\"antivirus\"", "finding_info.data_sources",
	    "[\"antivirus\"]", KIND_NEW },
	{ "the rule", "\"detectorId\":\"d\",\"title\":\"T\"", "finding_info.analytic",
	    "{\"name\":\"T\",\"type\":\"Rule\",\"type_id\":1,\"uid\":\"d\"}", KIND_NEW },
	{ "no rule is none", "\"x\":1", "finding_info.analytic", "", KIND_NEW },
	{ "the policy", "\"alertPolicyId\":\"p\"", "finding_info.related_analytics[0].uid", "\"p\"",
	    KIND_NEW },
	{ "the incident", "\"incidentId\":\"7\"", "finding_info.related_events[0]",
	    "{\"type_name\":\"Incident Finding: Create\",\"type_uid\":200501,\"uid\":\"7\"}",
	    KIND_NEW },
	{ "its link",
	    "\"incidentId\":\"7\",\"incidentWebUrl\":\"https://security.microsoft.com/i\"",
	    "tickets",
	    "[{\"src_url\":\"https://security.microsoft.com/i?tid=" MADE_TENANT_ID
	    "\",\"uid\":\"7\"}]",
	    KIND_NEW },
	{ "and of this tenant",
	    "\"incidentId\":\"7\",\"incidentWebUrl\":\"https://security.microsoft.com/i?tid=x\"",
	    "tickets", "[{\"uid\":\"7\"}]", KIND_NEW },
	{ "but only into the portal",
	    "\"incidentId\":\"7\",\"incidentWebUrl\":\"https://security.microsoft.com.evil/i\"",
	    "tickets", "[{\"uid\":\"7\"}]", KIND_NEW },
	{ "a tactic", "\"category\":\"CommandAndControl\"", "finding_info.attacks",
	    "[{\"tactic\":{\"name\":\"Command and Control\",\"uid\":\"TA0011\"}}]", KIND_NEW },
	{ "no tactic is none", "\"category\":\"Malware\"", "finding_info.attacks", "", KIND_NEW },
	{ "techniques", "\"mitreTechniques\":[\"T1059.001\",\"T1027\",\"odd.one\"]",
	    "finding_info.attacks",
	    "[{\"sub_technique\":{\"uid\":\"T1059.001\"},\"technique\":{\"uid\":\"T1059\"}},"
	    "{\"technique\":{\"uid\":\"T1027\"}},{\"technique\":{\"uid\":\"odd.one\"}}]",
	    KIND_NEW },
	{ "tags", "\"systemTags\":[\"a\",\"b\"]", "finding_info.tags",
	    "[{\"name\":\"systemTags\",\"values\":[\"a\",\"b\"]}]", KIND_NEW },
	{ "what to do", "\"recommendedActions\":\"r\"", "remediation", "{\"desc\":\"r\"}",
	    KIND_NEW },
	{ "whose it is", "\"assignedTo\":\"a@b.example\"", "assignee.email_addr", "\"a@b.example\"",
	    KIND_NEW },
	{ "by name alone", "\"assignedTo\":\"Ana\"", "assignee",
	    "{\"name\":\"Ana\",\"type\":\"User\",\"type_id\":1}", KIND_NEW },
	{ "the threat", "\"threatDisplayName\":\"T\",\"threatFamilyName\":\"F\"", "malware",
	    "[{\"classification_ids\":[0],\"name\":\"T\"}]", KIND_NEW },
	{ "its family", "\"threatDisplayName\":\"T\",\"threatFamilyName\":\"F\"",
	    "unmapped.threatFamilyName", "\"F\"", KIND_NEW },
	{ "family alone", "\"threatFamilyName\":\"F\"", "malware[0].name", "\"F\"", KIND_NEW },
	{ "the actor has no place", "\"actorDisplayName\":\"A\"", "unmapped.actorDisplayName",
	    "\"A\"", KIND_NEW },
	{ "the last comment",
	    "\"comments\":[{\"comment\":\"one\"},{\"comment\":\"two\",\"createdByDisplayName\":"
	    "\"b\"}]",
	    "comment", "\"two\"", KIND_NEW },
	{ "and all of them", "\"comments\":[{\"comment\":\"one\"},{\"comment\":\"two\"}]",
	    "unmapped.comments", "[{\"comment\":\"one\"},{\"comment\":\"two\"}]", KIND_NEW },
	{ "details as they are", "\"additionalData\":{ \"a\" :\n[1, null]}",
	    "unmapped.additionalData", "{\"a\":[1,null]}", KIND_NEW },
	{ "the alert itself", "\"x\":1", "raw_data",
	    "\"{\\\"id\\\":\\\"da1_1\\\",\\\"lastUpdateDateTime\\\":\\\"2026-11-22T04:10:46."
	    "09Z\\\","
	    "\\\"x\\\":1}\"",
	    KIND_NEW },

	{ "what evidence is", EVIDENCE("urlEvidence", "\"url\":\"u\""), IN("name"),
	    "\"urlEvidence\"", KIND_NEW },
	{ "its verdict", EVIDENCE("urlEvidence", "\"url\":\"u\",\"verdict\":\"malicious\""),
	    IN("verdict_id"), "2", KIND_NEW },
	{ "none of a word", EVIDENCE("urlEvidence", "\"url\":\"u\",\"verdict\":\"odd\""),
	    IN("verdict"), "\"odd\"", KIND_NEW },
	{ "what has no place is data",
	    EVIDENCE(
		"urlEvidence", "\"url\":\"u\",\"remediationStatus\":\"blocked\",\"roles\":[\"a\"]"),
	    IN("data"), "{\"remediationStatus\":\"blocked\",\"roles\":[\"a\"]}", KIND_NEW },
	{ "an unknown kind is data", EVIDENCE("newEvidence", "\"y\":{\"z\":[1.50]}"), IN("data.y"),
	    "{\"z\":[1.5]}", KIND_NEW },
	{ "a host", EVIDENCE("deviceEvidence", "\"deviceDnsName\":\"d.x\",\"hostName\":\"d\""),
	    IN("device.hostname"), "\"d.x\"", KIND_NEW },
	{ "or its short name", EVIDENCE("deviceEvidence", "\"hostName\":\"d\""),
	    IN("device.hostname"), "\"d\"", KIND_NEW },
	{ "a device without a name is data", EVIDENCE("deviceEvidence", "\"osPlatform\":\"Linux\""),
	    IN("device"), "", KIND_NEW },
	{ "whole", EVIDENCE("deviceEvidence", "\"osPlatform\":\"Linux\""), IN("data.osPlatform"),
	    "\"Linux\"", KIND_NEW },
	{ "its system",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"osPlatform\":\"WindowsServer2022\""),
	    IN("device.os"),
	    "{\"name\":\"WindowsServer2022\",\"type\":\"Windows\",\"type_id\":100}", KIND_NEW },
	{ "the best address",
	    EVIDENCE("deviceEvidence", "\"ipInterfaces\":[\"127.0.0.1\",\"10.0.0.1\",\"fe80::1\"]"),
	    IN("device.ip"), "\"10.0.0.1\"", KIND_NEW },
	{ "every address",
	    EVIDENCE("deviceEvidence", "\"ipInterfaces\":[\"10.0.0.1\",\"fe80::1\"]"),
	    IN("device.network_interfaces[1].ip"), "\"fe80::1\"", KIND_NEW },
	{ "no address is none",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"ipInterfaces\":[\"x\"]"),
	    IN("device.network_interfaces"), "", KIND_NEW },
	{ "but is kept", EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"ipInterfaces\":[\"x\"]"),
	    IN("data.ipInterfaces"), "[\"x\"]", KIND_NEW },
	{ "a user",
	    EVIDENCE("userEvidence", "\"userAccount\":{\"accountName\":\"a\",\"userSid\":\"S-1\","
				     "\"azureAdUserId\":\"g\","
				     "\"userPrincipalName\":\"a@b.example\",\"domainName\":\"D\","
				     "\"displayName\":\"Ana\"}"),
	    IN("user"),
	    "{\"domain\":\"D\",\"email_addr\":\"a@b.example\",\"full_name\":\"Ana\",\"name\":\"a\","
	    "\"type\":\"User\",\"type_id\":1,\"uid\":\"S-1\",\"uid_alt\":\"g\"}",
	    KIND_NEW },
	{ "a name that is no address",
	    EVIDENCE("userEvidence", "\"userAccount\":{\"userPrincipalName\":\"a b\"}"),
	    IN("user.email_addr"), "", KIND_NEW },
	{ "which is kept where another name is the name",
	    EVIDENCE("userEvidence", "\"userAccount\":{\"accountName\":\"a\","
				     "\"userPrincipalName\":\"ana@corp\"}"),
	    IN("data.userAccount.userPrincipalName"), "\"ana@corp\"", KIND_NEW },
	{ "what is of an odd type is kept",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"healthStatus\":{\"a\":1}"),
	    IN("data.healthStatus"), "{\"a\":1}", KIND_NEW },
	{ "and what is no number",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"fileName\":\"f\",\"fileSize\":\"x\"}"),
	    IN("data.fileDetails.fileSize"), "\"x\"", KIND_NEW },
	{ "or less than none",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"fileName\":\"f\",\"fileSize\":-5}"),
	    IN("data.fileDetails.fileSize"), "-5", KIND_NEW },
	{ "and what is no time",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"firstSeenDateTime\":\"soon\""),
	    IN("data.firstSeenDateTime"), "\"soon\"", KIND_NEW },
	{ "and more than anybody has",
	    EVIDENCE("deviceEvidence",
		"\"hostName\":\"d\",\"roles\":[" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\"last\"]"),
	    IN("data.roles[64]"), "\"last\"", KIND_NEW },
	{ "beside what is typed", EVIDENCE("deviceEvidence", "\"hostName\":\"d\",\"version\":[]"),
	    IN("device.hostname"), "\"d\"", KIND_NEW },
	{ "a process",
	    EVIDENCE("processEvidence", "\"processId\":4,\"parentProcessId\":2,"
					"\"processCommandLine\":\"x y\",\"imageFile\":"
					"{\"fileName\":\"x.exe\",\"filePath\":\"C:\\\\d\"}"),
	    IN("process.file.path"), "\"C:\\\\d\\\\x.exe\"", KIND_NEW },
	{ "its parent", EVIDENCE("processEvidence", "\"processId\":4,\"parentProcessId\":2"),
	    IN("process.parent_process"), "{\"pid\":2}", KIND_NEW },
	{ "its user is the actor",
	    EVIDENCE("processEvidence", "\"processId\":4,\"userAccount\":{\"accountName\":\"a\"}"),
	    IN("actor.user.name"), "\"a\"", KIND_NEW },
	{ "without a number it is a file",
	    EVIDENCE("processEvidence", "\"imageFile\":{\"fileName\":\"x\"}"), IN("file.name"),
	    "\"x\"", KIND_NEW },
	{ "with all that is known",
	    EVIDENCE("processEvidence",
		"\"processCommandLine\":\"c\",\"imageFile\":{\"fileName\":\"x\"}"),
	    IN("data.processCommandLine"), "\"c\"", KIND_NEW },
	{ "a number that is none", EVIDENCE("processEvidence", "\"processId\":99999999999"),
	    IN("process"), "", KIND_NEW },
	{ "a file's hashes",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"fileName\":\"f\",\"sha1\":\"" SHA1
				     "\",\"sha256\":\"" SHA256 "\"}"),
	    IN("file.hashes"),
	    "[{\"algorithm\":\"SHA-256\",\"algorithm_id\":3,\"value\":\"" SHA256
	    "\"},{\"algorithm\":\"SHA-1\",\"algorithm_id\":2,\"value\":\"" SHA1 "\"}]",
	    KIND_NEW },
	{ "a file that has a hash for a name",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"sha1\":\"" SHA1 "\"}"), IN("file.name"),
	    "\"" SHA1 "\"", KIND_NEW },
	{ "a path's last part is a name",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"filePath\":\"/a/b\"}"), IN("file.name"),
	    "\"b\"", KIND_NEW },
	{ "a folder is no name",
	    EVIDENCE("processEvidence",
		"\"processId\":4,\"imageFile\":{\"filePath\":\"C:\\\\a\\\\\",\"fileSize\":3}"),
	    IN("process.file"), "", KIND_NEW },
	{ "but is kept",
	    EVIDENCE("processEvidence",
		"\"processId\":4,\"imageFile\":{\"filePath\":\"C:\\\\a\\\\\",\"fileSize\":3}"),
	    IN("data.imageFile.filePath"), "\"C:\\\\a\\\\\"", KIND_NEW },
	{ "who signed it",
	    EVIDENCE("fileEvidence", "\"fileDetails\":{\"fileName\":\"f\",\"signer\":\"s\"}"),
	    IN("file.signatures[0].developer_uid"), "\"s\"", KIND_NEW },
	{ "a hash by itself",
	    EVIDENCE("fileHashEvidence", "\"algorithm\":\"sha256Ac\",\"value\":\"v\""),
	    IN("file.hashes"), "[{\"algorithm\":\"sha256Ac\",\"algorithm_id\":99,\"value\":\"v\"}]",
	    KIND_NEW },
	{ "an address without a device is the source",
	    EVIDENCE("ipEvidence", "\"ipAddress\":\"198.51.100.1\",\"countryLetterCode\":\"NL\""),
	    IN("src_endpoint"), "{\"ip\":\"198.51.100.1\",\"location\":{\"country\":\"NL\"}}",
	    KIND_NEW },
	{ "what is no address is data", EVIDENCE("ipEvidence", "\"ipAddress\":\"1.2.3\""),
	    IN("data.ipAddress"), "\"1.2.3\"", KIND_NEW },
	{ "a URL and its parts",
	    EVIDENCE("urlEvidence", "\"url\":\"https://u:p@h.example:8443/a/b?c=d#e\""), IN("url"),
	    "{\"hostname\":\"h.example\",\"path\":\"/a/b\",\"query_string\":\"c=d\",\"scheme\":"
	    "\"https\",\"url_string\":\"https://u:p@h.example:8443/a/b?c=d#e\"}",
	    KIND_NEW },
	{ "of an address in brackets",
	    EVIDENCE("urlEvidence", "\"url\":\"http://[2001:db8::1]:80/\""), IN("url.hostname"),
	    "\"2001:db8::1\"", KIND_NEW },
	{ "what is no URL has no parts", EVIDENCE("urlEvidence", "\"url\":\"nonsense ://\""),
	    IN("url"), "{\"url_string\":\"nonsense ://\"}", KIND_NEW },
	{ "mail",
	    EVIDENCE("analyzedMessageEvidence",
		"\"subject\":\"S\",\"recipientEmailAddress\":\"r@x.example\",\"p1Sender\":{"
		"\"emailAddress\":\"e@y.example\"},\"p2Sender\":{\"emailAddress\":\"h@y.example\"},"
		"\"senderIp\":\"203.0.113.4\",\"internetMessageId\":\"<m>\",\"networkMessageId\":"
		"\"n\","
		"\"urls\":[\"http://z/\"]"),
	    IN("email"),
	    "{\"from\":\"h@y.example\",\"message_uid\":\"<m>\",\"return_path\":\"e@y.example\","
	    "\"subject\":\"S\",\"to\":[\"r@x.example\"],\"uid\":\"n\",\"urls\":[{\"hostname\":"
	    "\"z\","
	    "\"path\":\"/\",\"scheme\":\"http\",\"url_string\":\"http://z/\"}],"
	    "\"x_originating_ip\":[\"203.0.113.4\"]}",
	    KIND_NEW },
	{ "mail from nobody is data",
	    EVIDENCE("analyzedMessageEvidence",
		"\"subject\":\"S\",\"p2Sender\":{\"emailAddress\":\"a b@c\"}"),
	    IN("data.p2Sender.emailAddress"), "\"a b@c\"", KIND_NEW },
	{ "a sender's domain is in the address",
	    EVIDENCE("analyzedMessageEvidence",
		"\"p2Sender\":{\"emailAddress\":\"a@b.example\",\"domainName\":\"B.example\"}"),
	    IN("data"), "", KIND_NEW },
	{ "another one is kept",
	    EVIDENCE("analyzedMessageEvidence",
		"\"p2Sender\":{\"emailAddress\":\"a@b.example\",\"domainName\":\"c.example\"}"),
	    IN("data.p2Sender.domainName"), "\"c.example\"", KIND_NEW },
	{ "a mailbox", EVIDENCE("mailboxEvidence", "\"primaryAddress\":\"m@x.example\""),
	    IN("email.to"), "[\"m@x.example\"]", KIND_NEW },
	{ "a registry key",
	    EVIDENCE("registryKeyEvidence", "\"registryHive\":\"HKLM\",\"registryKey\":\"A\\\\B\""),
	    IN("reg_key"), "{\"path\":\"HKLM\\\\A\\\\B\"}", KIND_NEW },
	{ "a registry value",
	    EVIDENCE("registryValueEvidence",
		"\"registryHive\":\"HKLM\",\"registryKey\":\"A\",\"registryValueName\":\"n\","
		"\"registryValue\":\"v\",\"registryValueType\":\"String\""),
	    IN("reg_value"),
	    "{\"data\":\"v\",\"name\":\"n\",\"path\":\"HKLM\\\\A\",\"type\":\"String\"}",
	    KIND_NEW },
	{ "a key's default value", EVIDENCE("registryValueEvidence", "\"registryKey\":\"A\""),
	    IN("reg_value"), "{\"is_default\":true,\"name\":\"(Default)\",\"path\":\"A\"}",
	    KIND_NEW },
	{ "the extension that has them", EVIDENCE("registryKeyEvidence", "\"registryKey\":\"A\""),
	    "metadata.extensions", "[{\"name\":\"win\",\"uid\":\"2\",\"version\":\"1.8.0\"}]",
	    KIND_NEW },
	{ "a cloud application",
	    EVIDENCE("cloudApplicationEvidence", "\"displayName\":\"App\",\"saasAppId\":11161"),
	    IN("resources"),
	    "[{\"name\":\"App\",\"type\":\"Cloud Application\",\"uid\":\"11161\"}]", KIND_NEW },
	{ "an OAuth application",
	    EVIDENCE("oauthApplicationEvidence", "\"displayName\":\"App\",\"appId\":\"i\""),
	    IN("actor"), "{\"app_name\":\"App\",\"app_uid\":\"i\"}", KIND_NEW },
	{ "of which nothing but an object's id is known: resources alone are no evidence",
	    EVIDENCE("oauthApplicationEvidence", "\"objectId\":\"o\""), IN("data.objectId"),
	    "\"o\"", KIND_NEW },
	{ "an Azure resource",
	    EVIDENCE("azureResourceEvidence",
		"\"resourceId\":\"/r\",\"resourceName\":\"n\",\"resourceType\":\"t\""),
	    IN("resources"), "[{\"name\":\"n\",\"type\":\"t\",\"uid\":\"/r\"}]", KIND_NEW },
	{ "a holder is data, and what it holds is typed",
	    EVIDENCE(
		"hostLogonSessionEvidence", "\"host\":{\"hostName\":\"h\"},\"sessionId\":\"s\""),
	    "evidences[1].device.hostname", "\"h\"", KIND_NEW },
	{ "the device attacked",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"h\",\"mdeDeviceId\":\"m\""), "resources",
	    "[{\"name\":\"h\",\"type\":\"Device\",\"uid\":\"m\"}]", KIND_NEW },
	{ "an observable is the path of its value", EVIDENCE("urlEvidence", "\"url\":\"u\""),
	    "observables",
	    "[{\"name\":\"evidences[0].url.url_string\",\"type\":\"URL String\",\"type_id\":6,"
	    "\"value\":\"u\"}]",
	    KIND_NEW },
};

START_TEST(test_mapping)
{
	char *slice = xasprintf("{\"id\":\"da1_1\",\"lastUpdateDateTime\":"
				"\"2026-11-22T04:10:46.09Z\",%s}",
	    cases[_i].members);
	struct made m;
	struct record *r = make_from_json(&m, str_of(slice));
	json_t *top;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	m.event.kind = cases[_i].kind;
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, cases[_i].says, cases[_i].path, cases[_i].want);
	json_decref(top);
	record_unref(r);
	free(slice);
}
END_TEST

/* ---- incidents ------------------------------------------------------------------------- */

#define INCIDENT "finding_info_list[0]."

static const struct {
	const char *says, *members, *path, *want;
} incidents[] = {
	{ "an incident is an incident finding", "\"x\":1", "type_uid", "200501" },
	{ "its name", "\"displayName\":\"N\"", "message", "\"N\"" },
	{ "which is never missing", "\"x\":1", INCIDENT "title",
	    "\"Microsoft Defender incident\"" },
	{ "its id", "\"x\":1", INCIDENT "uid", "\"40817\"" },
	{ "severity", "\"severity\":\"medium\"", "severity_id", "3" },
	{ "active is new", "\"status\":\"active\"", "status", "\"New\"" },
	{ "awaiting action is on hold", "\"status\":\"awaitingAction\"", "status_id", "3" },
	{ "redirected is closed", "\"status\":\"redirected\"", "status_id", "5" },
	{ "no status is unknown, as one is required", "\"x\":1", "status_id", "0" },
	{ "verdict", "\"classification\":\"falsePositive\"", "verdict_id", "1" },
	{ "description", "\"description\":\"d\",\"summary\":\"s\"", "desc", "\"d\"" },
	{ "summary without one", "\"summary\":\"s\"", INCIDENT "desc", "\"s\"" },
	{ "whose it is", "\"assignedTo\":\"a@b.example\"", "assignee.email_addr",
	    "\"a@b.example\"" },
	{ "nobody's is a group's, as somebody is required", "\"x\":1", "assignee_group",
	    "{\"name\":\"unassigned\"}" },
	{ "what it was merged into", "\"redirectIncidentId\":\"7\"",
	    INCIDENT "related_events[0].uid", "\"7\"" },
	{ "tags", "\"customTags\":[\"a\"],\"systemTags\":[\"b\"]", INCIDENT "tags",
	    "[{\"name\":\"customTags\",\"values\":[\"a\"]},"
	    "{\"name\":\"systemTags\",\"values\":[\"b\"]}]" },
	{ "however many", "\"customTags\":[" SIXTEEN SIXTEEN SIXTEEN "\"" SHA256 "\",\"last\"]",
	    INCIDENT "tags[0].values[49]", "\"last\"" },
	{ "the portal's link", "\"x\":1", "src_url",
	    "\"https://security.microsoft.com/incidents/40817?tid=" MADE_TENANT_ID "\"" },
	{ "the last comment", "\"comments\":[{\"comment\":\"c\"}]", "comment", "\"c\"" },
	{ "or why it is done", "\"comments\":[{\"comment\":\"c\"}],\"resolvingComment\":\"r\"",
	    "comment", "\"r\"" },
	{ "priority has no place", "\"priorityScore\":80", "unmapped.priorityScore", "80" },
};

START_TEST(test_incident)
{
	char *slice = xasprintf("{\"id\":\"40817\",\"lastUpdateDateTime\":"
				"\"2026-11-22T04:10:46.09Z\",%s}",
	    incidents[_i].members);
	struct made m;
	struct record *r = record_from_incident(str_of(slice), true, 0);
	json_t *top;

	make_alert(&m);
	m.event.record = r;
	ck_assert_int_eq(r->type, RECORD_INCIDENT);
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, incidents[_i].says, incidents[_i].path, incidents[_i].want);
	json_decref(top);
	top = write_ocsf(&m.event, LEAST);
	assert_at(top, "its id is in the shortest form, too", INCIDENT "uid", "\"40817\"");
	ck_assert_msg(
	    json_at(top, "severity_id") != NULL && json_at(top, "status_id") != NULL &&
		(json_at(top, "assignee") != NULL || json_at(top, "assignee_group") != NULL),
	    "and what the class requires");
	json_decref(top);
	record_unref(r);
	free(slice);
}
END_TEST

/* ---- what every event has -------------------------------------------------------------------- */

START_TEST(test_msspd)
{
	struct made m;
	json_t *top;

	make_alert(&m);
	m.event.kind = KIND_UPDATED;
	m.event.changed = 1u << PART_STATUS | 1u << PART_EVIDENCE;
	m.event.flags = EVENT_REPLAY;
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, "what msspd knows", "unmapped.msspd",
	    "{\"backfill\":false,\"changed\":[\"status\",\"evidence\"],\"cloud\":\"global\","
	    "\"customer\":\"contoso\",\"kind\":\"updated\",\"replay\":true,\"stream\":\"alerts\","
	    "\"tenant\":\"contoso-eu\"}");
	assert_at(top, "when it came", "metadata.logged_time", "1795320660000");
	json_decref(top);
}
END_TEST

START_TEST(test_other_records)
{
	struct made m;
	json_t *top;

	make_unreadable(&m, "da9_9", "it is broken");
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, "an unreadable alert is a finding", "type_uid", "200401");
	assert_at(top, "to look at", "is_alert", "true");
	assert_at(top, "of weight", "severity_id", "4");
	assert_at(top, "with its reason", "finding_info.desc", "\"it is broken\"");
	assert_at(top, "and its text", "raw_data", "\"{\\\"id\\\":\"");
	json_decref(top);
	top = write_ocsf(&m.event, LEAST);
	assert_at(top, "the shortest form has its id", "finding_info.uid", "\"da9_9\"");
	assert_at(top, "and weight", "severity_id", "4");
	assert_at(top, "and is of the product that it is of", "metadata.product.name",
	    "\"Microsoft Defender\"");
	json_decref(top);
	make_health(&m);
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, "health is an application's error", "class_uid", "6008");
	assert_at(top, "from msspd", "metadata.product",
	    "{\"name\":\"msspd\",\"vendor_name\":\"msspd\"}");
	assert_at(top, "no incident", "metadata.profiles", "[\"cloud\"]");
	json_decref(top);
	m.record.type = RECORD_CANARY;
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, "a canary is a base event", "type_uid", "99");
	json_decref(top);
}
END_TEST

START_TEST(test_without_raw)
{
	struct format_opts opts = { .max_bytes = PLENTY, .without_raw = true };
	struct made m;
	json_t *top;

	make_alert(&m);
	top = try_write(&m.event, &opts);
	assert_at(top, "no raw_data where none is asked for", "raw_data", "");
	assert_at(top, "which cuts nothing", "metadata.is_truncated", "");
	json_decref(top);
}
END_TEST

/* ---- golden files ------------------------------------------------------------------------------------ */

static void
check_golden(const char *name, const struct golden *g)
{
	golden_assert_json(name, g, try_write(&g->made.event, &g->opts));
}

START_TEST(test_golden)
{
	ck_assert_uint_ge(golden_each("tests/data/ocsf", check_golden), 12);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ocsf");
	TCase *tc = tcase_create("ocsf");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_mapping, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_incident, 0, (int)ARRAY_LEN(incidents));
	tcase_add_test(tc, test_msspd);
	tcase_add_test(tc, test_other_records);
	tcase_add_test(tc, test_without_raw);
	tcase_add_test(tc, test_golden);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
