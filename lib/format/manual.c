/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/format.h"
#include "lib/format/mail.h"
#include "lib/format/manual.h"

static const char intro[] =
    "# Formats\n"
    "\n"
    "What msspd writes, field by field. This page is made from the tables that the program writes\n"
    "by (`msspd --print-formats`). Names in the column \"what is there\" are those of Microsoft\n"
    "Graph's `microsoft.graph.security.alert`, `incident` and kinds of evidence, where nothing\n"
    "else is said.\n"
    "\n"
    "Every sink but smtp chooses one: `format: cef`, `leef`, `ocsf`, `ecs` or `raw`. What mails\n"
    "hold is at the end of this page.\n"
    "\n"
    "- Each record in each format carries the **event id** "
    "`tenant-GUID/alert:<id>/<lastUpdateDateTime\n"
    "  with 7 digits>`, and likewise `incident:`, `health:`, `canary:` and `unreadable:`. Delivery "
    "is at\n"
    "  least once: drop what you have seen by it.\n"
    "- A record is **one line** of UTF-8 without control characters, whatever the alert holds "
    "(LEEF has\n"
    "  tabs between its pairs). Bytes that are no UTF-8 are U+FFFD.\n"
    "- What is **too long** for a sink is made shorter, never cut off. What tells whose, which, "
    "when, what\n"
    "  and how bad is never left out.\n"
    "- What is absent, null or empty in the alert is left out.\n"
    "- An alert that msspd **could not read** is sent nevertheless, with what is known of it.\n";

static const struct {
	const struct format *format;
	const char *title, *about;
} sections[] = {
	{ &format_cef, "CEF",
	    "`CEF:0|vendor|product|1.0|class|name|severity|` and the keys below, of which each "
	    "comes\n"
	    "once. Vendor is `Microsoft` (`msspd` for health and canaries), product the name that\n"
	    "serviceSource is sold under, class the detectorId, else the category, name the "
	    "title.\n"
	    "Severity: informational 1, low 3, medium 6, high 8, else `Unknown`. The mapping "
	    "follows\n"
	    "Microsoft's own tables for CEF where they speak. Labelled keys have the label in the "
	    "key\n"
	    "of the same name with `Label` behind it. Limits are bytes of the escaped value.\n"
	    "\n"
	    "A line that is too long gives up text first (`reason`, `msg`, lists, `cs` values, the "
	    "command\n"
	    "line), then whole keys. `cef_plain_header: true` writes `|`, `\\` and `=` in the "
	    "header as `/`,\n"
	    "`/` and `:`, for readers that do not know CEF's escapes.\n" },
	{ &format_leef, "LEEF",
	    "`LEEF:2.0|vendor|product|1.0|class|x09|` and the keys below, with a tab between two "
	    "of them.\n"
	    "The header is CEF's. LEEF has no escapes: a tab or a line end in a value is a space. "
	    "Of each\n"
	    "kind of evidence the first is used, of devices a primary one. Times are ms since "
	    "1970.\n"
	    "\n"
	    "A line that is too long gives up text of `recommendedActions`, `description`, "
	    "`commandLine`,\n"
	    "`tags` and `mitreTechniques`, then whole keys from the end of this table on.\n" },
	{ &format_ocsf, "OCSF",
	    "One JSON object of the Open Cybersecurity Schema Framework, version 1.8.0, with the "
	    "profiles\n"
	    "`cloud` and `incident`. Words of Graph's that OCSF has a number for are numbers and "
	    "captions\n"
	    "(`severity_id` and `severity`); others are 99 and the word as it came.\n"
	    "\n"
	    "- `evidences` has each item of evidence, with its kind in `name`; those that others "
	    "hold follow\n"
	    "  them: 256 at most, and 64 of a list within one. What OCSF has no typed place for is "
	    "in `data`,\n"
	    "  by Graph's names. `data` is the whole item where a value is not of the type that "
	    "OCSF wants (an\n"
	    "  address that is none, a process without a number), where a list is longer, and for "
	    "every kind\n"
	    "  without a table below.\n"
	    "- `observables` names the values to search for, 1024 at most; `name` is the path at "
	    "which each\n"
	    "  stands, as `evidences[0].device.ip`.\n"
	    "- Members of Microsoft's that stand in no table here are in `raw_data` only.\n"
	    "- JSON from Microsoft that is nested more than 28 levels deep is written as a "
	    "string: many readers\n"
	    "  refuse an event of more than 31.\n"
	    "\n"
	    "What is too long loses, in this order: `raw_data`; `data` of evidence; `unmapped` but "
	    "for `msspd`,\n"
	    "and text over 1024 bytes; `observables`, and text over 512 bytes; evidence from the "
	    "17th on, from\n"
	    "the 5th on, all of it; and at last all that the class does not require. "
	    "`metadata.is_truncated`\n"
	    "is true then. Ids of events, alerts, incidents and tenants, and links, are\n"
	    "never cut. A usual alert has 8 to 16 KiB with\n"
	    "`raw_data`, half of that without; any with usual names fits into 1000 bytes.\n" },
	{ &format_ecs, "ECS",
	    "One JSON object of the Elastic Common Schema, version 8.17. The schema has one host, "
	    "one\n"
	    "user, one file: of each kind of evidence the first is used, of devices a primary one, "
	    "and\n"
	    "`related` has what could be looked for of all of it. What the schema has no field for "
	    "is\n"
	    "below `msspd`; kinds of evidence without a table below are in `event.original` only. "
	    "Use\n"
	    "`msspd.event_id` as the document's `_id`, so that repeats replace each other.\n"
	    "\n"
	    "What is too long loses, in this order: `event.original`; text over 512 bytes; what is "
	    "below\n"
	    "`msspd` but for the id and what happened, and text over 256 bytes; the evidence and "
	    "`related`;\n"
	    "text over 64 bytes; and at last all but `event`, `organization`, `message` (the "
	    "title) "
	    "and `msspd`.\n"
	    "`msspd.truncated` is true then. Ids of events, alerts, incidents and tenants, and "
	    "links, are\n"
	    "never cut.\n" },
	{ &format_raw, "raw",
	    "One JSON object: an envelope and the object as Microsoft sent it, byte for byte, but "
	    "that line\n"
	    "ends between tokens are spaces and controls in strings are escapes.\n" },
};

void
formats_manual(struct buf *out)
{
	buf_puts(out, intro);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		buf_printf(out, "\n## %s: `format: %s`\n\n%s", sections[i].title,
		    sections[i].format->name, sections[i].about);
		sections[i].format->describe(out);
	}
	mail_manual(out);
}
