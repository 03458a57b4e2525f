/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SMALL_GRAPH_H
#define SMALL_GRAPH_H

#include <stdbool.h>

#include "daemon/env.h"
#include "daemon/settings.h"
#include "tests/unit/web.h"

/*
 * small_graph: Entra and Graph of a few tenants inside a test, for the intake:
 * a list of alerts in order, and misbehaviour by tenant. Where the behaviour of
 * the real thing matters in full, the runs with fake-graph show it.
 */
#define SG_TENANTS 8
#define SG_ALERTS  1200

enum sg_mood {
	SG_WELL,
	SG_401_ONCE,
	SG_401,
	SG_403,
	SG_NO_ROLES,
	SG_NO_CONSENT,
	SG_BAD_SECRET,
	SG_429,
	SG_429_SILENT,
	SG_503,
	SG_500,
	SG_ECHO,      /* 502 that tells what it was asked, as text */
	SG_ECHO_JSON, /* likewise, as an error of the API's */
	SG_HTML,
	SG_PARTIAL,
	SG_NOTHING,
	SG_NO_VALUE,
	SG_TORN,
	SG_REDIRECT,
	SG_FOREIGN_LINK,
	SG_LOOP,
	SG_HANG,
	SG_NO_ORDER,
	SG_LINKS, /* no order, and a link to each next page */
	SG_HUGE,
};

struct sg_alert {
	char id[32];
	int64_t at;            /* lastUpdateDateTime */
	const char *tenant_id; /* NULL: null */
	const char *severity;
	bool is_huge; /* larger than any page may be */
};

struct sg_tenant {
	enum sg_mood mood;
	struct sg_alert alerts[SG_ALERTS];
	unsigned n;
	const char *extra; /* one more element, as text */
	const char *head;  /* of good answers; NULL: a plain one */
	int delay_ms;      /* of answers */
	unsigned gone;     /* the link to that position is 410, until a read begins anew; 0: none */
	bool is_gone;      /* it was asked for */
	unsigned tokens, reads;
	char last_url[512];
};

struct small_graph {
	struct web *web;
	struct sg_tenant t[SG_TENANTS];
	char *answers[64]; /* on their way */
	unsigned nanswers;
};

/* "00000000-0000-4000-8000-00000000000<i + 1>" */
const char *sg_tenant_id(unsigned i);

void sg_init(struct small_graph *g, struct event_base *base);
void sg_release(struct small_graph *g);
struct sg_alert *sg_add(struct small_graph *g, unsigned tenant, int64_t at);

#endif
