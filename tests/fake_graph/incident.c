/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/incident.h"

#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/maker.h"
#include "tests/fake_graph/rules.h"

static const struct rule *
rule_of(const struct alert *a)
{
	return &rules[rng_child(a->seed, 1) % nrules];
}

const char *
incident_status(const struct facts *f)
{
	static const char *const names[] = { "active", "inProgress", "resolved" };

	return f->merged != 0 ? "redirected" : names[f->status];
}

void
incident_title(struct buf *b, const struct alert *a)
{
	buf_printf(b, "\"%s incident | on %u endpoints = \\u00e9\"", rule_of(a)->title,
	    (unsigned)(a->seed % 9));
}

static void
put_state(struct buf *b, const struct alert *a, const struct facts *f)
{
	bool is_judged = f->status == STATUS_RESOLVED && f->note % 4 != 0;

	j_strs(b, "status", incident_status(f));
	j_key(b, "incidentWebUrl");
	buf_printf(b, "\"https://security.microsoft.com/incidents/%s?tid=%s\"", a->id,
	    a->tenant->guid);
	j_key(b, "redirectIncidentId");
	if (f->merged != 0)
		buf_printf(b, "\"%u\"", f->merged);
	else
		buf_puts(b, "null");
	j_key(b, "displayName");
	incident_title(b, a);
	j_key(b, "createdDateTime");
	put_stamp(b, a->created, true);
	j_key(b, "lastUpdateDateTime");
	put_stamp(b, f->updated, true);
	j_key(b, "assignedTo");
	if (f->assignee != 0)
		buf_printf(b, "\"analyst%u@soc.example\"", f->assignee);
	else
		buf_puts(b, "null");
	/* The capitals of Microsoft's samples, once in a while. */
	j_strs(b, "classification",
	    !is_judged             ? NULL
	    : a->seed % 3 == 0 ? "TruePositive"
			       : "falsePositive");
	j_strs(b, "determination", is_judged ? "securityTesting" : NULL);
	j_strs(b, "severity", severity_name(f->severity));
}

static void
put_comments(struct buf *b, const struct alert *a, const struct facts *f)
{
	/* Schema and samples disagree about these names. */
	bool is_sample = a->seed % 4 == 0;

	j_key(b, "comments");
	buf_byte(b, '[');
	for (unsigned i = 0; i < f->ncomments; i++) {
		j_comma(b);
		buf_printf(b, "{\"comment\":\"Call %u\\nsaid = nothing\",\"%s\":\"analyst%u\",\"%s\":",
		    i + 1, is_sample ? "createdBy" : "createdByDisplayName", i % 4 + 1,
		    is_sample ? "createdTime" : "createdDateTime");
		put_stamp(b, a->created + (int64_t)(i + 1) * 61 * TICKS_SEC, true);
		buf_byte(b, '}');
	}
	buf_byte(b, ']');
}

void
incident_render(struct buf *b, const struct alert *a, const struct facts *f)
{
	buf_byte(b, '{');
	j_strs(b, "id", a->id);
	j_strs(b, "tenantId", a->tenant->guid);
	put_state(b, a, f);
	j_int(b, "priorityScore", (int64_t)(a->seed % 100));
	j_raw(b, "customTags", a->seed % 2 == 0 ? "[\"VIP\",\"a=b|c\"]" : "[]");
	j_raw(b, "systemTags", a->seed % 5 == 0 ? "[\"Defender Experts\"]" : "[]");
	j_strs(b, "description", a->seed % 2 == 0 ? "Several alerts that belong together." : NULL);
	j_strs(b, "summary", a->seed % 3 == 0 ? "Somebody ran something." : NULL);
	j_strs(b, "lastModifiedBy", f->assignee != 0 ? "analyst@soc.example" : "Microsoft 365 Defender-");
	j_strs(b, "resolvingComment", f->status == STATUS_RESOLVED ? "Done." : NULL);
	put_comments(b, a, f);
	buf_byte(b, '}');
}
