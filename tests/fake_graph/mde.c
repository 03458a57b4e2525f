/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/mde.h"

#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/maker.h"
#include "tests/fake_graph/rules.h"

/* What each item says of what it is about; all else of it is null. */
static const struct {
	const char *type, *says;
} items[] = {
	{ "User", "\"accountName\":\"ana\",\"domainName\":\"CORP\",\"userSid\":\"S-1-5-21-1\","
		  "\"aadUserId\":null,\"userPrincipalName\":\"ana@corp.example\"" },
	{ "Process", "\"fileName\":\"powershell.exe\",\"filePath\":\"C:\\\\Windows\","
		     "\"processId\":4780,\"processCommandLine\":\"powershell -enc \\\"A=|\\\"\","
		     "\"parentProcessId\":668,\"parentProcessFileName\":\"cmd.exe\","
		     "\"accountName\":\"ana\",\"detectionStatus\":\"Detected\"" },
	{ "File", "\"sha1\":null,\"sha256\":"
		  "\"8963a19fb992ad9a76576c5638fd68292cffb9aaac29eb8285f9abf6196a7dec\","
		  "\"fileName\":\"a.exe\",\"filePath\":\"C:\\\\Temp\"" },
	{ "Ip", "\"ipAddress\":\"203.0.113.9\"" },
	{ "Url", "\"url\":\"http://bad.example/x?y=z\"" },
	{ "SomethingNew", "\"newField\":{\"x\":[1]}" },
};

static void
put_evidence(struct buf *b, const struct alert *a, const struct facts *f, bool with_evidence)
{
	j_key(b, "evidence");
	buf_byte(b, '[');
	for (unsigned i = 0; with_evidence && i < f->nevidence; i++) {
		unsigned which = (unsigned)((a->seed + i) % ARRAY_LEN(items));

		j_comma(b);
		buf_byte(b, '{');
		j_strs(b, "entityType", items[which].type);
		j_key(b, "evidenceCreationTime");
		put_stamp(b, a->created, true);
		buf_printf(b, ",%s,\"registryKey\":null}", items[which].says);
	}
	buf_byte(b, ']');
}

static void
put_state(struct buf *b, const struct alert *a, const struct facts *f)
{
	static const char *const severities[] = { "Informational", "Low", "Medium", "High" };
	static const char *const states[] = { "New", "InProgress", "Resolved" };
	static const char *const found[] = { "Queued", "Running", "PendingApproval", "Benign",
		"UnsupportedAlertType", "SuccessfullyRemediated" };
	bool is_judged = f->status == STATUS_RESOLVED && f->note % 4 != 0;

	j_int(b, "incidentId", FIRST_INCIDENT + a->serial / 3);
	j_raw(b, "investigationId", "null");
	if (f->assignee != 0)
		j_key(b, "assignedTo"), buf_printf(b, "\"analyst%u@soc.example\"", f->assignee);
	else
		j_raw(b, "assignedTo", "null");
	j_strs(b, "severity", severities[f->severity]);
	j_strs(b, "status", states[f->status]);
	j_strs(b, "classification", is_judged ? "TruePositive" : NULL);
	j_strs(b, "determination", is_judged ? "Malware" : NULL);
	j_strs(b, "investigationState", found[f->verdicts % ARRAY_LEN(found)]);
	j_strs(b, "detectionSource", a->seed % 2 == 0 ? "WindowsDefenderAtp" : "WindowsDefenderAv");
}

static void
put_times(struct buf *b, const struct alert *a, const struct facts *f)
{
	j_key(b, "alertCreationTime");
	put_stamp(b, a->created, true);
	j_key(b, "firstEventTime");
	put_stamp(b, a->created - TICKS_SEC, true);
	j_key(b, "lastEventTime");
	put_stamp(b, a->created - 1, true);
	j_key(b, "lastUpdateTime");
	put_stamp(b, f->updated, true);
	j_key(b, "resolvedTime");
	if (f->resolved == TICKS_NONE)
		buf_puts(b, "null");
	else
		put_stamp(b, f->resolved, true);
}

static void
put_comments(struct buf *b, const struct alert *a, const struct facts *f)
{
	j_key(b, "comments");
	buf_byte(b, '[');
	for (unsigned i = 0; i < f->ncomments; i++) {
		j_comma(b);
		buf_printf(b, "{\"comment\":\"Call %u\",\"createdBy\":\"analyst\",\"createdTime\":",
		    i + 1);
		put_stamp(b, a->created + (int64_t)(i + 1) * 61 * TICKS_SEC, true);
		buf_byte(b, '}');
	}
	buf_byte(b, ']');
}

void
mde_render(struct buf *b, const struct alert *a, const struct facts *f, bool with_evidence)
{
	buf_byte(b, '{');
	j_strs(b, "id", a->id);
	put_state(b, a, f);
	j_key(b, "title");
	corpus_title(b, a);
	j_strs(b, "category", "Execution");
	j_strs(b, "description", "Something ran.\nLook at it.");
	put_times(b, a, f);
	j_strs(b, "machineId", "73e7e2de709dff64ef64b1d0c30e67fab63279db");
	j_strs(b, "computerDnsName", "pc7.corp.example");
	j_strs(b, "rbacGroupName", "Workstations");
	j_strs(b, "aadTenantId", a->tenant->guid);
	j_raw(b, "mitreTechniques", "[\"T1059.001\"]");
	j_raw(b, "relatedUser", "{\"userName\":\"ana\",\"domainName\":\"CORP\"}");
	put_comments(b, a, f);
	put_evidence(b, a, f, with_evidence);
	buf_byte(b, '}');
}
