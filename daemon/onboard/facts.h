/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTS_H
#define FACTS_H

#include "daemon/settings.h"
#include "lib/base/buf.h"

/*
 * facts: what a page for people says of one tenant, its customer and us, by name, so
 * that the pages are tables of texts with {names} in them. What the configuration does
 * not say stands as a word in capitals, and `missing` tells what to write.
 * Pure.
 */
enum fact {
	FACT_MSSP,          /* our name */
	FACT_MSSP_TENANT,   /* "tenant GUID (domain)" */
	FACT_CUSTOMER,      /* name for people */
	FACT_CUSTOMER_KEY,  /* its name in the configuration */
	FACT_TENANT,        /* name in the configuration */
	FACT_TENANT_ID,
	FACT_CLIENT_ID,
	FACT_ROLES,         /* the application permissions, "A and B" */
	FACT_CONSENT,       /* links */
	FACT_PORTAL,
	FACT_MULTI_TENANT,  /* a point of its own; "" where there is none */
	FACT_MY_ACCESS,
	FACT_ENTRA,
	FACT_COUNT
};

struct facts {
	char *v[FACT_COUNT]; /* none is NULL */
	char *missing;       /* options that would say more, one a line; "" */
};

void facts_init(struct facts *f, const struct settings *s, const struct tenant *t);
void facts_release(struct facts *f);
/* text with each {name} replaced; a brace before a blank is a brace. */
void facts_write(struct buf *out, const struct facts *f, const char *text);

#endif
