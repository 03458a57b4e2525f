/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/check_tenant.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/loop.h"
#include "daemon/msspctl/config.h"
#include "daemon/msspctl/paint.h"
#include "daemon/msspctl/show_probe.h"
#include "daemon/resolve.h"
#include "daemon/secret.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

/* Tenants at a time: quick enough for hundreds, and no burst at anybody's door. */
#define AT_ONCE 8

struct trial {
	struct engine_env env;
	struct probe_needs needs;
	struct chosen chosen;
	struct probe **probes;   /* one a tenant, in their order; NULL: not begun */
	size_t begun, shown;     /* shown: tenants that were told of to their end */
	size_t steps;            /* of the next one, that were told */
	bool is_json, is_coloured;
};

/* ---- telling: in the order of the tenants, as soon as it can be -------------------- */

static void
show_steps(struct trial *r)
{
	const struct probe *p = r->probes[r->shown];
	const struct probe_step *s;

	if (r->steps == 0 && probe_step(p, 0) != NULL) {
		if (r->shown != 0)
			putchar('\n');
		show_probe_head(stdout, probe_tenant(p));
	}
	for (s = probe_step(p, r->steps); s != NULL; s = probe_step(p, ++r->steps))
		show_probe_step(stdout, s, r->is_coloured);
	fflush(stdout);
}

static size_t
count_open(const struct trial *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->begun; i++)
		n += !probe_is_over(r->probes[i]);
	return n;
}

static void
on_moved(void *arg)
{
	struct trial *r = arg;

	while (r->shown < r->begun && r->probes[r->shown] != NULL) {
		if (!r->is_json)
			show_steps(r);
		if (!probe_is_over(r->probes[r->shown]))
			break;
		r->shown++;
		r->steps = 0;
	}
	while (r->begun < r->chosen.n && count_open(r) < AT_ONCE) {
		r->probes[r->begun] =
		    probe_start(&r->needs, r->chosen.tenants[r->begun], on_moved, r);
		r->begun++;
	}
	if (r->shown == r->chosen.n)
		event_base_loopbreak(r->env.base);
}

/* Of several tenants, which are not well. */
static void
show_sum(const struct trial *r)
{
	size_t well = 0;

	for (size_t i = 0; i < r->shown; i++)
		well += probe_status(r->probes[i]) == 0;
	if (r->chosen.n < 2)
		return;
	printf("\n%zu of %zu tenants are well%s", well, r->chosen.n, well < r->shown ? "; not:" : "");
	for (size_t i = 0; i < r->shown; i++) {
		if (probe_status(r->probes[i]) != 0)
			printf(" %s", r->chosen.tenants[i]->name);
	}
	putchar('\n');
}

static void
show_json(const struct trial *r, int status)
{
	json_t *all = json_array(), *whole;

	for (size_t i = 0; i < r->shown; i++)
		json_array_append_new(all, probe_json(r->probes[i]));
	whole = json_pack("{s:b, s:o}", "ok", status == EX_OK, "tenants", all);
	json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(whole);
}

/* ---- life ---------------------------------------------------------------------------- */

static void
trial_open(struct trial *r)
{
	r->env.base = event_base_new();
	BUG_IF(r->env.base == NULL);
	r->env.clock = &clock_system;
	r->env.hostname = r->env.instance = "";
	r->env.loop = loop_new(r->env.base);
	r->env.timers = timers_new(r->env.base, r->env.clock);
	r->env.resolver = resolver_new(r->env.base);
	r->needs.env = &r->env;
	r->needs.fetcher = fetcher_new(&r->env);
	r->needs.tokens = tokens_new(&r->env, r->needs.fetcher);
	r->needs.settings = r->chosen.settings;
	r->probes = xcalloc(r->chosen.n + 1, sizeof(*r->probes));
}

static void
trial_close(struct trial *r)
{
	for (size_t i = 0; i < r->begun; i++)
		probe_free(r->probes[i]);
	free(r->probes);
	tokens_free(r->needs.tokens);
	fetcher_free(r->needs.fetcher);
	resolver_free(r->env.resolver);
	loop_free(r->env.loop);
	timers_free(r->env.timers);
	event_base_free(r->env.base);
	chosen_release(&r->chosen);
}

int
do_check_tenant(const struct args *a)
{
	struct trial r = { .is_json = a->is_json, .is_coloured = has_colours(stdout) };
	int status = EX_OK;

	secret_forbid_cores();
	signal(SIGPIPE, SIG_IGN);
	secret_find_credentials(a->config);
	if (!choose(&r.chosen, a, &status))
		return status;
	trial_open(&r);
	on_moved(&r);
	if (r.chosen.n != 0)
		event_base_dispatch(r.env.base);
	for (size_t i = 0; i < r.shown; i++) {
		if (probe_status(r.probes[i]) > status)
			status = probe_status(r.probes[i]);
	}
	if (a->is_json)
		show_json(&r, status);
	else
		show_sum(&r);
	trial_close(&r);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
