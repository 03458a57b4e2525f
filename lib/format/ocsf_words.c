/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/portal.h"

/* Words of Graph's and their numbers in OCSF, and what findings of both classes have. */

void
ocsf_word(struct shape *s, const char *id_name, const char *name, struct ocsf_word word)
{
	shape_int(s, id_name, word.id);
	shape_text(s, name, str_of(word.caption), OBSERVABLE_NONE);
}

void
ocsf_named(struct shape *s, const char *id_name, const char *name, const struct ocsf_name *names,
    size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++) {
		if (str_same_nocase(text, str_of(names[i].text))) {
			ocsf_word(s, id_name, name, names[i].word);
			return;
		}
	}
	shape_int(s, id_name, text.n != 0 ? 99 : 0);
	shape_text(s, name, text.n != 0 ? text : STR("Unknown"), OBSERVABLE_NONE);
}

static const struct ocsf_name severities[] = {
	{ "unknown", { 0, "Unknown" } },
	{ "informational", { 1, "Informational" } },
	{ "low", { 2, "Low" } },
	{ "medium", { 3, "Medium" } },
	{ "high", { 4, "High" } },
};

void
ocsf_severity(struct shape *s, struct str text)
{
	ocsf_named(s, "severity_id", "severity", severities, ARRAY_LEN(severities), text);
}

static const struct ocsf_name determinations[] = {
	{ "securityTesting", { 6, "Test" } },
	{ "notEnoughDataToValidate", { 7, "Insufficient Data" } },
};

static const struct ocsf_name classifications[] = {
	{ "unknown", { 0, "Unknown" } },
	{ "falsePositive", { 1, "False Positive" } },
	{ "truePositive", { 2, "True Positive" } },
	{ "informationalExpectedActivity", { 5, "Benign" } },
	{ "benignPositive", { 5, "Benign" } },
};

void
ocsf_verdict(struct shape *s, struct str classification, struct str determination)
{
	for (size_t i = 0; i < ARRAY_LEN(determinations); i++) {
		if (!str_same_nocase(determination, str_of(determinations[i].text)))
			continue;
		ocsf_word(s, "verdict_id", "verdict", determinations[i].word);
		return;
	}
	ocsf_named(s, "verdict_id", "verdict", classifications, ARRAY_LEN(classifications),
	    classification);
}

void
ocsf_link(struct shape *s, const struct shape_row *row, const void *base)
{
	struct ocsf *o = ocsf_of(s);

	(void)base;
	buf_clear(&o->text);
	portal_link(&o->text, o->ev);
	shape_whole(s, row->name, buf_peek(&o->text));
}

void
ocsf_assignee(struct shape *s, const char *name, struct str who)
{
	shape_open(s, name);
	shape_text(s, "name", who, OBSERVABLE_NONE);
	if (who.n != 0) {
		ocsf_email(s, "email_addr", who);
		ocsf_word(s, "type_id", "type", (struct ocsf_word){ 1, "User" });
	}
	shape_close(s);
}

void
ocsf_comments(struct shape *s, const char *name, const struct alert_comment *comments, size_t n)
{
	shape_open_array(s, name);
	for (size_t i = 0; i < n; i++) {
		shape_open(s, NULL);
		shape_text(s, "comment", comments[i].text, OBSERVABLE_NONE);
		shape_text(s, "createdByDisplayName", comments[i].by, OBSERVABLE_NONE);
		shape_time(s, "createdTime", comments[i].created);
		shape_close(s);
	}
	shape_close(s);
}
