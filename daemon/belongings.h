/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BELONGINGS_H
#define BELONGINGS_H

#include "daemon/journal/letters.h"
#include "daemon/origins.h"

/*
 * belongings: which of the journal's streams are one tenant's, configured or not.
 *
 * A tenant is meant by its name, its GUID or its key ("global/GUID"), each exactly as it is. Names
 * may have been given anew since a tenant left: one that stands for two tenants is refused, and
 * both are named.
 */

/* Puts them into out, *key (the caller's to free; NULL: not wanted) says whose they are. */
bool belongings_find(struct origins *o, const char *tenant, struct journal_filter *out, char **key,
    struct err *err) MUST_CHECK;

#endif
