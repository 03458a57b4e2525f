/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health/ends.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"

/* The state is the stage, not the days: it is told once. */
static const struct {
	const char *state;
	enum health_level level;
} stages[] = {
	[EXPIRY_FAR] = { "valid", HEALTH_WELL },
	[EXPIRY_MONTH] = { "ends within 30 days", HEALTH_NOTICE },
	[EXPIRY_WEEK] = { "ends within 7 days", HEALTH_PROBLEM },
	[EXPIRY_DAY] = { "ends within a day", HEALTH_ALARM },
	[EXPIRY_OVER] = { "has ended", HEALTH_ALARM },
};

static const struct tenant *
tenant_of(const struct settings *s, const struct expiry *e)
{
	for (size_t i = 0; i < s->ntenants && strcmp(e->kind, "customer") == 0; i++) {
		const struct customer *c = s->tenants[i].customer;

		if (c != NULL && strcmp(c->name, e->name) == 0)
			return &s->tenants[i];
	}
	return NULL;
}

/* "end:app:soc:secret-of-graph", short enough for an id; paths differ at their ends. */
static void
write_id(char *out, size_t room, const struct expiry *e)
{
	size_t n = strlen(e->what);

	if (n <= 60)
		(void)snprintf(out, room, "end:%.60s:%.60s:%s", e->kind, e->name, e->what);
	else
		(void)snprintf(out, room, "end:%.60s:%.60s:%.40s-%016" PRIx64, e->kind, e->name,
		    e->what, str_hash(e->what, n));
	for (; *out != '\0'; out++)
		*out = *out == ' ' ? '-' : *out;
}

void
ends_tell(struct watch *w, const struct settings *s, const struct expiry *e,
    enum expiry_stage stage, int64_t days)
{
	char id[200], *summary, *what;

	write_id(id, sizeof(id), e);
	summary = xasprintf("%s %s: %s %s", strcmp(e->kind, "customer") == 0 ? "Customer" : "App",
	    e->name, e->what, stages[stage].state);
	if (stage == EXPIRY_OVER)
		what = xasprintf("%s has ended", e->what);
	else
		what = xasprintf("%s ends in %" PRId64 " day%s", e->what, days,
		    days == 1 ? "" : "s");
	watch_notice(w, &(struct watch_notice){ .tenant = tenant_of(s, e),
			    .id = id,
			    .about = e->kind,
			    .name = e->name,
			    .level = stages[stage].level,
			    .state = stages[stage].state,
			    .summary = summary,
			    .what = what,
			    .remedy = stage == EXPIRY_FAR ? "" : e->remedy });
	free(summary);
	free(what);
}

void
ends_clear(struct watch *w, const struct settings *s, struct expiries *x, int64_t now)
{
	size_t i = 0;

	for (const struct expiry *e = expiries_at(x, i); e != NULL; e = expiries_at(x, ++i)) {
		if (expiry_stage(now, e->ends) == EXPIRY_FAR)
			ends_tell(w, s, e, EXPIRY_FAR, expiry_days(now, e->ends));
	}
}
