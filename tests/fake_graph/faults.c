/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/faults.h"

#define ON_TOKEN 1
#define ON_GRAPH 2

/* A fault of the token endpoint is said "token-KIND" where both have it. */
static const struct kind {
	const char *name;
	unsigned scopes;
	enum fault_effect effect;
	int status;
	const char *help;
} kinds[] = {
	{ "latency", ON_TOKEN | ON_GRAPH, FX_LATENCY, 0, "=MS: answers that much later" },
	{ "hang", ON_TOKEN | ON_GRAPH, FX_HANG, 0, "never answers" },
	{ "reset", ON_TOKEN | ON_GRAPH, FX_RESET, 0, "closes without an answer" },
	{ "cut", ON_TOKEN | ON_GRAPH, FX_CUT, 0,
	    "[=N] closes at byte N of the body, or a random one" },
	{ "slow", ON_TOKEN | ON_GRAPH, FX_SLOW, 0, "[=MS] one byte per MS (100)" },
	{ "clock", ON_TOKEN | ON_GRAPH, FX_CLOCK, 0,
	    "=SECONDS the server's clock is ahead by so much (a minus: behind): its Date, and what "
	    "it judges assertions by" },
	{ "html", ON_TOKEN | ON_GRAPH, FX_HTML, 0, "200 with a captive portal's page" },
	{ "echo", ON_TOKEN | ON_GRAPH, FX_ECHO, 0, "502 with the request in it, its secrets too" },
	{ "garbage", ON_TOKEN | ON_GRAPH, FX_GARBAGE, 0, "200 with random bytes" },
	{ "redirect", ON_TOKEN | ON_GRAPH, FX_REDIRECT, 0, "[=URL] 302 to a foreign host" },
	{ "401", ON_GRAPH, FX_STATUS, 401, "InvalidAuthenticationToken" },
	{ "challenge", ON_GRAPH, FX_CHALLENGE, 401, "401 with insufficient_claims" },
	{ "nolicence", ON_GRAPH, FX_NO_LICENCE, 403, "403, the tenant has no licence" },
	{ "400", ON_TOKEN | ON_GRAPH, FX_STATUS, 400, "Bad Request" },
	{ "403", ON_GRAPH, FX_STATUS, 403, "Forbidden" },
	{ "404", ON_GRAPH, FX_STATUS, 404, "Not Found" },
	{ "429", ON_TOKEN | ON_GRAPH, FX_STATUS, 429,
	    "[=SECONDS|date|date-past|none|absurd|negative|text] by its Retry-After (10)" },
	{ "500", ON_TOKEN | ON_GRAPH, FX_STATUS, 500, "Internal Server Error" },
	{ "502", ON_TOKEN | ON_GRAPH, FX_STATUS, 502, "Bad Gateway" },
	{ "503", ON_TOKEN | ON_GRAPH, FX_STATUS, 503, "[=…] as 429; without: no Retry-After" },
	{ "504", ON_TOKEN | ON_GRAPH, FX_STATUS, 504, "Gateway Timeout" },
	{ "206", ON_GRAPH, FX_PARTIAL, 206, "partial data, with a Warning header" },
	{ "204", ON_GRAPH, FX_PARTIAL, 204, "no content" },
	{ "notjson-value", ON_TOKEN | ON_GRAPH, FX_NOT_JSON_VALUE, 0,
	    "[=0…6] 200 with JSON that has no array value" },
	{ "huge", ON_TOKEN | ON_GRAPH, FX_HUGE, 0, "[=MB] a body of that size (64)" },
	{ "bomb", ON_TOKEN | ON_GRAPH, FX_BOMB, 0, "[=MB] gzip that unpacks to that (1024)" },
	{ "fat", ON_GRAPH, FX_FAT, 0, "[=KB] so much padding in every alert (100)" },
	{ "border", ON_GRAPH, FX_BORDER, 0, "the last alert of each page changes while the page is on its way" },
	{ "foreign-nextlink", ON_GRAPH, FX_FOREIGN_NEXT, 0,
	    "[=host|path|scheme|user|relative|URL] a nextLink elsewhere (host)" },
	{ "same-nextlink", ON_GRAPH, FX_SAME_NEXT, 0, "a nextLink to the request itself" },
	{ "empty-page-next", ON_GRAPH, FX_EMPTY_NEXT, 0, "first an empty page with a nextLink" },
	{ "wrong-tenantid", ON_GRAPH, FX_WRONG_TENANT, 0, "all alerts name another tenant" },
	{ "foreign-alert", ON_GRAPH, FX_FOREIGN_ALERT, 0, "only the first of a page does" },
	{ "null-tenantid", ON_GRAPH, FX_NULL_TENANT, 0, "alerts with tenantId null" },
	{ "noroles", ON_TOKEN, FX_NO_ROLES, 0, "tokens without roles (so Graph answers 403)" },
	{ "moreroles", ON_TOKEN, FX_MORE_ROLES, 0, "tokens that may also change alerts" },
	{ "foreign-tid", ON_TOKEN, FX_FOREIGN_TID, 0, "tokens of another tenant" },
	{ "noconsent", ON_TOKEN, FX_TOKEN_ERROR, 700016, "AADSTS700016" },
	{ "badsecret", ON_TOKEN, FX_TOKEN_ERROR, 7000215, "AADSTS7000215" },
	{ "oldsecret", ON_TOKEN, FX_TOKEN_ERROR, 7000222, "AADSTS7000222" },
	{ "disabled", ON_TOKEN, FX_TOKEN_ERROR, 7000112, "AADSTS7000112, the app was disabled" },
	{ "wrongcloud", ON_TOKEN, FX_TOKEN_ERROR, 90038, "AADSTS90038" },
	{ "blocked", ON_TOKEN, FX_TOKEN_ERROR, 53003, "AADSTS53003, by Conditional Access" },
	{ "transient", ON_TOKEN, FX_TOKEN_ERROR, 90033, "temporarily_unavailable, 503" },
	{ "error", ON_TOKEN, FX_TOKEN_ERROR, 0, "=CODE any AADSTS code that fake-graph knows" },
};

void
faults_init(struct faults *f, uint64_t seed)
{
	*f = (struct faults){ .rng = { seed } };
}

static struct fault *
fault_ref(struct fault *x)
{
	x->refs++;
	return x;
}

static void
fault_unref(struct fault *x)
{
	if (x == NULL || --x->refs > 0)
		return;
	free(x->spec);
	free(x->arg);
	free(x);
}

void
faults_release(struct faults *f)
{
	faults_remove(f, NULL);
	free(f->v);
}

size_t
faults_remove(struct faults *f, const char *spec)
{
	size_t kept = 0, was = f->n;

	for (size_t i = 0; i < f->n; i++) {
		if (spec == NULL || strcmp(f->v[i]->spec, spec) == 0)
			fault_unref(f->v[i]);
		else
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
	return was - kept;
}

static bool
read_number(struct str s, long long max, long long *v)
{
	*v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9' || *v > max)
			return false;
		*v = *v * 10 + (s.s[i] - '0');
	}
	return s.n != 0 && *v <= max;
}

/* "for=N", "share=P" or "from=S,to=S". */
static bool
read_modifier(struct fault *x, struct str m, struct err *err)
{
	const char *comma;
	long long v, w;

	if (str_starts(m, "for=") && read_number((struct str){ m.s + 4, m.n - 4 }, 1LL << 40, &v)) {
		x->left = (uint64_t)v;
		return true;
	}
	if (str_starts(m, "share=") && read_number((struct str){ m.s + 6, m.n - 6 }, 100, &v)) {
		x->share = (unsigned)v;
		return true;
	}
	comma = m.n > 5 && str_starts(m, "from=") ? memchr(m.s, ',', m.n) : NULL;
	if (comma != NULL && (size_t)(m.s + m.n - comma) > 4 && memcmp(comma, ",to=", 4) == 0 &&
	    read_number((struct str){ m.s + 5, (size_t)(comma - m.s) - 5 }, 1 << 30, &v) &&
	    read_number((struct str){ comma + 4, (size_t)(m.s + m.n - comma) - 4 }, 1 << 30, &w)) {
		x->from_ms = v * 1000;
		x->to_ms = w * 1000;
		return true;
	}
	return err_set(err, ERR_CONF, "%.*s is none of for=N, from=S,to=S, share=P", STR_ARG(m));
}

/* Cuts modifiers from the end of s: the argument may hold colons itself. */
static bool
read_modifiers(struct fault *x, struct str *s, struct err *err)
{
	static const char *const words[] = { ":for=", ":from=", ":share=" };

	for (;;) {
		size_t at = s->n;

		for (size_t i = s->n; i-- > 0 && at == s->n;) {
			for (size_t w = 0; w < ARRAY_LEN(words); w++) {
				if (str_starts((struct str){ s->s + i, s->n - i }, words[w]))
					at = i;
			}
		}
		if (at == s->n)
			return true;
		if (!read_modifier(x, (struct str){ s->s + at + 1, s->n - at - 1 }, err))
			return false;
		s->n = at;
	}
}

static const struct kind *
find_kind(struct str name, enum fault_scope *scope)
{
	bool is_token = str_starts(name, "token-");
	struct str bare = is_token ? (struct str){ name.s + 6, name.n - 6 } : name;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];

		if (!str_is(bare, k->name) || (is_token && !(k->scopes & ON_TOKEN)))
			continue;
		*scope = is_token || k->scopes == ON_TOKEN ? FAULT_TOKEN : FAULT_GRAPH;
		return k;
	}
	return NULL;
}

static bool
read_kind(struct fault *x, struct str s, struct err *err)
{
	const char *equals = memchr(s.s, '=', s.n);
	struct str name = { s.s, equals != NULL ? (size_t)(equals - s.s) : s.n };
	const struct kind *k = find_kind(name, &x->scope);

	if (k == NULL)
		return err_set(err, ERR_CONF, "unknown kind of fault: %.*s", STR_ARG(name));
	x->effect = k->effect;
	x->status = k->status;
	if (equals != NULL)
		x->arg = xstrndup(equals + 1, s.n - name.n - 1);
	if (x->effect == FX_TOKEN_ERROR && x->status == 0)
		x->status = (int)fault_number(x, 0);
	return true;
}

/* "*", or "A-B", or what resolve knows. */
static bool
read_tenants(struct fault *x, struct str s, unsigned (*resolve)(struct str, void *), void *arg,
    struct err *err)
{
	const char *dash = memchr(s.s, '-', s.n);
	long long first, last;

	x->first = 1;
	x->last = UINT32_MAX;
	if (str_is(s, "*"))
		return true;
	if (dash != NULL &&
	    read_number((struct str){ s.s, (size_t)(dash - s.s) }, 1 << 30, &first) &&
	    read_number((struct str){ dash + 1, s.n - (size_t)(dash + 1 - s.s) }, 1 << 30, &last)) {
		x->first = (unsigned)first;
		x->last = (unsigned)last;
		return true;
	}
	x->first = x->last = resolve(s, arg);
	return x->first != 0 || err_set(err, ERR_CONF, "no tenant %.*s", STR_ARG(s));
}

bool
faults_add(struct faults *f, const char *spec, unsigned (*resolve)(struct str, void *), void *arg,
    struct err *err)
{
	const char *colon = strchr(spec, ':');
	struct fault *x;
	struct str rest;

	if (colon == NULL)
		return err_set(err, ERR_CONF, "fault %s: TENANT:KIND is wanted", spec);
	x = xcalloc(1, sizeof(*x));
	x->refs = 1;
	x->spec = xstrdup(spec);
	x->left = UINT64_MAX;
	x->to_ms = INT64_MAX;
	x->share = 100;
	rest = str_of(colon + 1);
	if (!read_tenants(x, (struct str){ spec, (size_t)(colon - spec) }, resolve, arg, err) ||
	    !read_modifiers(x, &rest, err) || !read_kind(x, rest, err)) {
		fault_unref(x);
		return err_wrap(err, "fault %s", spec);
	}
	x->id = ++f->last_id;
	f->v = xreallocarray(f->v, f->n + 1, sizeof(struct fault *));
	f->v[f->n++] = x;
	return true;
}

static bool
applies(struct faults *f, const struct fault *x, unsigned tenant, enum fault_scope scope,
    int64_t since_start_ms)
{
	return x->scope == scope && tenant >= x->first && tenant <= x->last && x->left > 0 &&
	       since_start_ms >= x->from_ms && since_start_ms < x->to_ms &&
	       (x->share == 100 || rng_percent(&f->rng, x->share));
}

/* Adds x to the plan, unless another fault has its place. */
static bool
choose(struct fault_plan *plan, struct fault *x)
{
	switch (x->effect) {
	case FX_LATENCY:
		plan->latency_ms += fault_number(x, 1000);
		return true;
	case FX_NO_ROLES:
		plan->has_no_roles = true;
		return true;
	case FX_MORE_ROLES:
		plan->has_more_roles = true;
		return true;
	case FX_FOREIGN_TID:
		plan->has_foreign_tid = true;
		return true;
	case FX_CUT:
	case FX_SLOW:
	case FX_CLOCK:
	case FX_FOREIGN_NEXT:
	case FX_SAME_NEXT:
	case FX_EMPTY_NEXT:
	case FX_WRONG_TENANT:
	case FX_FOREIGN_ALERT:
	case FX_NULL_TENANT:
	case FX_FAT:
	case FX_BORDER:
		if (plan->nbends == MAX_BENDS)
			return false;
		plan->bends[plan->nbends++] = fault_ref(x);
		return true;
	case FX_TOKEN_ERROR:
	case FX_STATUS:
	case FX_CHALLENGE:
	case FX_NO_LICENCE:
	case FX_PARTIAL:
	case FX_HTML:
	case FX_ECHO:
	case FX_GARBAGE:
	case FX_NOT_JSON_VALUE:
	case FX_HUGE:
	case FX_BOMB:
	case FX_REDIRECT:
	case FX_HANG:
	case FX_RESET:
		if (plan->answer != NULL)
			return false;
		plan->answer = fault_ref(x);
		return true;
	}
	return false;
}

void
faults_plan(struct faults *f, unsigned tenant, enum fault_scope scope, int64_t since_start_ms,
    struct fault_plan *plan)
{
	*plan = (struct fault_plan){ 0 };
	for (size_t i = 0; i < f->n; i++) {
		struct fault *x = f->v[i];

		if (!applies(f, x, tenant, scope, since_start_ms) || !choose(plan, x))
			continue;
		x->hits++;
		if (x->left != UINT64_MAX)
			x->left--;
	}
}

void
plan_release(struct fault_plan *plan)
{
	fault_unref(plan->answer);
	for (size_t i = 0; i < plan->nbends; i++)
		fault_unref(plan->bends[i]);
	*plan = (struct fault_plan){ 0 };
}

long long
fault_number(const struct fault *f, long long def)
{
	long long v;

	return f->arg != NULL && read_number(str_of(f->arg), 1LL << 40, &v) ? v : def;
}

const struct fault *
plan_bend(const struct fault_plan *plan, enum fault_effect effect)
{
	for (size_t i = 0; i < plan->nbends; i++) {
		if (plan->bends[i]->effect == effect)
			return plan->bends[i];
	}
	return NULL;
}

long long
plan_clock_ahead(const struct fault_plan *plan)
{
	const struct fault *f = plan_bend(plan, FX_CLOCK);

	return f != NULL && f->arg != NULL ? strtoll(f->arg, NULL, 10) : 0;
}

void
faults_help(void)
{
	printf("Faults: TENANT:KIND[=ARG][:for=N][:from=S,to=S][:share=P]\n"
	       "TENANT is *, an index from 1, a range A-B, a GUID or a name. for: only the next N "
	       "requests;\n"
	       "from, to: only in these seconds after the start; share: that percentage of the "
	       "requests.\n");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		printf("  %-18s%s %s\n", kinds[i].name,
		    kinds[i].scopes == ON_TOKEN ? "(tokens)" : "", kinds[i].help);
	printf("Of these the token endpoint can have, as token-KIND:");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].scopes == (ON_TOKEN | ON_GRAPH))
			printf(" %s", kinds[i].name);
	}
	printf("\n\n");
}
