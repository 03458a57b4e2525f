/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/fake_graph/evidence.h"
#include "tests/fake_graph/hostile.h"
#include "tests/fake_graph/json_out.h"

#define DEEP_LEVELS 3000

static void
deep_objects(struct buf *b)
{
	j_key(b, "additionalData");
	for (int i = 0; i < DEEP_LEVELS; i++)
		buf_puts(b, "{\"d\":");
	buf_puts(b, "1");
	for (int i = 0; i < DEEP_LEVELS; i++)
		buf_byte(b, '}');
}

static void
deep_arrays(struct buf *b)
{
	j_key(b, "customDetails");
	buf_puts(b, "{\"a\":");
	for (int i = 0; i < DEEP_LEVELS; i++)
		buf_byte(b, '[');
	for (int i = 0; i < DEEP_LEVELS; i++)
		buf_byte(b, ']');
	buf_byte(b, '}');
}

static void
many_keys(struct buf *b)
{
	j_key(b, "customDetails");
	buf_byte(b, '{');
	for (int i = 0; i < 2000; i++)
		buf_printf(b, "%s\"key%d\":[%d]", i != 0 ? "," : "", i, i);
	buf_byte(b, '}');
}

static void
long_text(struct buf *b)
{
	j_key(b, "recommendedActions");
	buf_byte(b, '"');
	for (int i = 0; i < 4000; i++)
		buf_puts(b, "|=\\\\\\n\xe2\x80\xae");
	buf_byte(b, '"');
}

/* More evidence than anybody should keep in memory as fields. */
static void
much_evidence(struct buf *b)
{
	struct maker m = { .b = b,
		.rng = { 4711 },
		.cast = 4711,
		.org = "hostile",
		.null_percent = 12,
		.has_newer_enums = true };

	j_key(b, "evidenceOverflow");
	buf_byte(b, '[');
	for (size_t i = 0; i < 400; i++) {
		j_comma(b);
		make_evidence(&m, &evidence_kinds[i % nevidence_kinds]);
	}
	buf_byte(b, ']');
}

const struct hostile hostiles[] = {
	{ .name = "cef-characters",
	    .title = "\"Pipe | equals = backslash \\\\ quote \\\" end act=blocked src=6.6.6.6\"" },
	{ .name = "line-breaks",
	    .title =
		"\"one\\r\\nCEF:0|Forged|x|1|1|forged|10|\\n<13>1 - - - - - forged\\rthree\"" },
	{ .name = "nul", .title = "\"before\\u0000after\"" },
	{ .name = "bidi",
	    .title = "\"invoice_\xe2\x80\xae"
		     "fdp.exe \xe2\x81\xa6isolated\"" },
	{ .name = "escape-codes", .title = "\"\\u001b[31mred\\u001b[0m\\u0007\\u009b2J\\u007f\"" },
	{ .name = "lone-surrogate",
	    .reads = READS_REPAIR,
	    .title = "\"high \\ud800 alone\"",
	    .truth_title = "\"high \\ufffd alone\"" },
	{ .name = "swapped-surrogates",
	    .reads = READS_REPAIR,
	    .title = "\"low \\udc00\\ud83d high\"",
	    .truth_title = "\"low \\ufffd\\ufffd high\"" },
	{ .name = "bad-utf8",
	    .reads = READS_REPAIR,
	    .title = "\"bad \xff bytes\"",
	    .truth_title = "\"bad \\ufffd bytes\"" },
	{ .name = "overlong-utf8",
	    .reads = READS_REPAIR,
	    .extra = "\"customDetails\":{\"slash\":\"\xc0\xaf\",\"surrogate\":\"\xed\xa0\x80\"}" },
	{ .name = "cut-utf8",
	    .reads = READS_REPAIR,
	    .extra = "\"customDetails\":{\"cut\":\"\xe2\x82\"}" },
	{ .name = "big-number",
	    .reads = READS_REPAIR,
	    .extra = "\"additionalData\":{\"score\":1e999,\"low\":-1e999}" },
	{ .name = "integer-past-int64",
	    .reads = READS_REPAIR,
	    .extra = "\"additionalData\":{\"n\":18446744073709551616,\"m\":-9223372036854775809}" },
	{ .name = "number-forms",
	    .extra =
		"\"additionalData\":{\"z\":-0,\"e\":1E+2,\"f\":0.1e-7,\"l\":123456789012345678}" },
	{ .name = "duplicate-keys",
	    .extra = "\"additionalData\":{\"k\":1,\"k\":\"two\",\"k\":null}" },
	{ .name = "duplicate-title",
	    .title = "\"said twice\"",
	    .extra = "\"title\":\"said twice\"" },
	{ .name = "deep-objects", .reads = READS_REPAIR, .more = deep_objects },
	{ .name = "deep-arrays", .reads = READS_REPAIR, .more = deep_arrays },
	{ .name = "many-keys", .more = many_keys },
	{ .name = "long-text", .more = long_text },
	{ .name = "much-evidence", .more = much_evidence },
	{ .name = "null-title", .title = "null", .truth_title = "null" },
	{ .name = "empty-title", .title = "\"\"" },
	{ .name = "html-title",
	    .title = "\"<script>alert(1)</script>&amp;<a href='javascript:x'>\"" },
	{ .name = "mail-header",
	    .title = "\"Alert\\r\\nBcc: everyone@victim.example\\r\\n\\r\\nforged body\"" },
	{ .name = "line-separators",
	    .title = "\"\xef\xbb\xbf"
		     "bom \xe2\x80\xa8line\xe2\x80\xa9paragraph\xc2\x85next\\u000b\\f\"" },
	{ .name = "wide-characters",
	    .title =
		"\"\xf0\x9f\x90\xa7 \\ud83d\\udc27 \xe6\x97\xa5\xe6\x9c\xac e\xcc\x81 \\ufffe\"" },
	{ .name = "new-severity", .severity = "\"catastrophic\"" },
	{ .name = "slashes", .title = "\"a\\/b \\u002F c\"", .truth_title = "\"a/b / c\"" },
	{ .name = "wrong-types",
	    .evidence = "\"none\"",
	    .comments = "{}",
	    .extra = "\"customDetails\":[7],\"additionalData\":\"text\"" },
	{ .name = "odd-evidence",
	    .evidence =
		"[null,7,\"text\",[],{},{\"@odata.type\":null},"
		"{\"@odata.type\":\"#microsoft.graph.security.deviceEvidence\",\"hostName\":42,"
		"\"loggedOnUsers\":null,\"ipInterfaces\":\"10.0.0.1\"}]" },
	{ .name = "raw-control",
	    .reads = READS_REPAIR,
	    .title = "\"raw \x01 control\ttab\"",
	    .truth_title = "\"raw \\u0001 control\\ttab\"" },
	{ .name = "id-characters",
	    .id = "\"id\":\"da|x=y\\\\ \\\"q\\\" /../%2e?\\n~\"",
	    .truth_id = "\"da|x=y\\\\ \\\"q\\\" /../%2e?\\n~\"" },
	{ .name = "id-twice",
	    .reads = READS_UNREADABLE,
	    .truth_id = "null",
	    .id = "\"id\":@,\"id\":\"another\"" },
	{ .name = "no-id",
	    .reads = READS_UNREADABLE,
	    .truth_id = "null",
	    .id = "\"providerHint\":1" },
	{ .name = "null-id", .reads = READS_UNREADABLE, .truth_id = "null", .id = "\"id\":null" },
	{ .name = "number-id", .truth_id = "\"17#\"", .id = "\"id\":17#" },
	{ .name = "stamp-twice",
	    .reads = READS_UNREADABLE,
	    .stamp = "\"lastUpdateDateTime\":@,\"lastUpdateDateTime\":\"2001-01-01T00:00:00Z\"" },
	{ .name = "bad-stamp",
	    .reads = READS_UNREADABLE,
	    .stamp = "\"lastUpdateDateTime\":\"yesterday\"" },
	{ .name = "no-stamp", .reads = READS_UNREADABLE, .stamp = "\"lastUpdate\":null" },
	{ .name = "not-an-object",
	    .reads = READS_UNREADABLE,
	    .truth_id = "null",
	    .whole = "\"an alert\"" },
	{ .name = "null-element", .reads = READS_UNREADABLE, .truth_id = "null", .whole = "null" },
	{ .name = "empty-object", .reads = READS_UNREADABLE, .truth_id = "null", .whole = "{}" },
};
const size_t nhostiles = sizeof(hostiles) / sizeof(hostiles[0]);

const char *
hostile_reads_name(enum reads reads)
{
	static const char *const names[] = { "plain", "repair", "unreadable" };

	return names[reads];
}

const struct hostile *
hostile_find(const char *name)
{
	for (size_t i = 0; i < nhostiles; i++) {
		if (strcmp(hostiles[i].name, name) == 0)
			return &hostiles[i];
	}
	return NULL;
}
