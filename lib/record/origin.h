/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * origin: whose a record is. One per tenant and configuration, counted,
 * immutable; entries that outlive their tenant's configuration get one made
 * from what the journal kept (origin_about, origin_from_about).
 */
struct origin_label {
	const char *key, *value;
};

struct origin {
	unsigned refs;
	char *tenant_id;     /* GUID, lower case */
	char *tenant;        /* the tenant's name in the configuration */
	char *customer;      /* likewise; the tenant's where it has no customer */
	char *customer_name; /* for people: "Contoso Ltd" */
	char *cloud;         /* global, gcc, gcc-high, dod, custom */
	char *portal_host;   /* "security.microsoft.com"; the only host portal links may have */
	char *stream;        /* "alerts" */
	char *instance;      /* of this msspd, may be "" */
	char *time_zone;     /* the customer's, an IANA name; "": UTC */
	struct origin_label *labels;
	size_t nlabels;
	struct origin_label *contacts; /* the customer's: a group's name and one address each */
	size_t ncontacts;
};

struct origin *origin_new(const struct origin *from); /* copies everything; refs = 1 */
struct origin *origin_ref(const struct origin *o);
void origin_unref(struct origin *o);

/* What is of msspd itself and of no tenant. instance may be NULL. */
struct origin *origin_own(const char *instance, const char *stream);

/* The JSON text that the journal keeps for a stream, labels included: the caller's to free;
 * and back: NULL and ERR_PERM when it cannot be read, else one reference. */
char *origin_about(const struct origin *o);
struct origin *origin_from_about(const char *about, struct err *err);

#endif
