/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/portal.h"

/* Words of Graph's and their numbers in OCSF, and what findings of both classes have. */

void
ocsf_word(struct shape *s, struct str id_name, struct str name, struct ocsf_word word)
{
	shape_put_int(s, id_name, word.id);
	shape_put_text(s, name, word.caption, OBSERVABLE_NONE);
}

void
ocsf_named(struct shape *s, struct str id_name, struct str name, const struct ocsf_name *names,
    size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++) {
		if (str_same_nocase(text, names[i].text)) {
			ocsf_word(s, id_name, name, names[i].word);
			return;
		}
	}
	shape_put_int(s, id_name, text.n != 0 ? 99 : 0);
	shape_put_text(s, name, text.n != 0 ? text : STR("Unknown"), OBSERVABLE_NONE);
}

static const struct ocsf_name severities[] = {
	OCSF_NAME("unknown", 0, "Unknown"),
	OCSF_NAME("informational", 1, "Informational"),
	OCSF_NAME("low", 2, "Low"),
	OCSF_NAME("medium", 3, "Medium"),
	OCSF_NAME("high", 4, "High"),
};

void
ocsf_severity(struct shape *s, struct str text)
{
	ocsf_named(s, STR("severity_id"), STR("severity"), severities, ARRAY_LEN(severities), text);
}

static const struct ocsf_name determinations[] = {
	OCSF_NAME("securityTesting", 6, "Test"),
	OCSF_NAME("notEnoughDataToValidate", 7, "Insufficient Data"),
};

static const struct ocsf_name classifications[] = {
	OCSF_NAME("unknown", 0, "Unknown"),
	OCSF_NAME("falsePositive", 1, "False Positive"),
	OCSF_NAME("truePositive", 2, "True Positive"),
	OCSF_NAME("informationalExpectedActivity", 5, "Benign"),
	OCSF_NAME("benignPositive", 5, "Benign"),
};

void
ocsf_verdict(struct shape *s, struct str classification, struct str determination)
{
	for (size_t i = 0; i < ARRAY_LEN(determinations); i++) {
		if (!str_same_nocase(determination, determinations[i].text))
			continue;
		ocsf_word(s, STR("verdict_id"), STR("verdict"), determinations[i].word);
		return;
	}
	ocsf_named(s, STR("verdict_id"), STR("verdict"), classifications,
	    ARRAY_LEN(classifications), classification);
}

void
ocsf_link(struct shape *s, const struct shape_row *row, const void *base)
{
	struct ocsf *o = ocsf_of(s);

	(void)base;
	buf_clear(&o->text);
	portal_link(&o->text, o->ev);
	shape_put_whole(s, shape_row_name(row), buf_peek(&o->text));
}

void
ocsf_assignee(struct shape *s, const char *name, struct str who)
{
	shape_open(s, name);
	shape_text(s, "name", who, OBSERVABLE_NONE);
	if (who.n != 0) {
		ocsf_email(s, "email_addr", who);
		ocsf_word(s, STR("type_id"), STR("type"), (struct ocsf_word){ 1, STR("User") });
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
