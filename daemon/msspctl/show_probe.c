/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/show_probe.h"

#include "lib/format/wrap.h"

#define TEXT_MAX (256 * 1024)
#define BEGIN    "                 "

/* By enum probe_outcome: the word, and how a terminal colours it. */
static const struct {
	const char *word, *colour;
} outcomes[] = {
	[PROBE_OK] = { "ok     ", "\033[32m" },
	[PROBE_FAILED] = { "FAILED ", "\033[1;31m" },
	[PROBE_SKIPPED] = { "skipped", "\033[33m" },
};

void
show_probe_head(FILE *out, const struct tenant *t)
{
	struct buf b = BUF_INIT(TEXT_MAX), page = BUF_INIT(TEXT_MAX);

	buf_printf(&b, "%s, %s, %s", t->name, t->origin->customer_name, t->id);
	wrap_put(&page, "", "", b.p);
	fwrite(page.p, 1, page.n, out);
	buf_release(&b);
	buf_release(&page);
}

void
show_probe_step(FILE *out, const struct probe_step *step, bool is_coloured)
{
	const char *colour = is_coloured ? outcomes[step->outcome].colour : "";
	struct buf page = BUF_INIT(TEXT_MAX);

	/* The first line begins with what is BEGIN on the others, written here for its colour. */
	fprintf(out, "  %s%s%s %-6s ", colour, outcomes[step->outcome].word,
	    is_coloured ? "\033[0m" : "", step->name);
	wrap_put(&page, BEGIN, BEGIN, step->text);
	fwrite(page.p + strlen(BEGIN), 1, page.n - strlen(BEGIN), out);
	if (step->todo[0] != '\0') {
		buf_clear(&page);
		wrap_put(&page, BEGIN "-> ", BEGIN "   ", step->todo);
		fwrite(page.p, 1, page.n, out);
	}
	buf_release(&page);
}

static json_t *
text(const char *s)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	json_t *v;

	wrap_clean(&b, s);
	v = json_stringn(buf_peek(&b).s, b.n);
	buf_release(&b);
	return v;
}

json_t *
probe_json(const struct probe *p)
{
	const struct tenant *t = probe_tenant(p);
	json_t *steps = json_array();
	size_t i = 0;

	for (const struct probe_step *s = probe_step(p, i); s != NULL; s = probe_step(p, ++i))
		json_array_append_new(steps,
		    json_pack("{s:s, s:s, s:o, s:o}", "step", s->name, "outcome",
			probe_outcomes[s->outcome], "text", text(s->text), "todo", text(s->todo)));
	return json_pack("{s:s, s:s, s:s, s:b, s:o}", "tenant", t->name, "customer",
	    t->origin->customer, "id", t->id, "ok", probe_status(p) == 0, "steps", steps);
}
