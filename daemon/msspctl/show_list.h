/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHOW_LIST_H
#define SHOW_LIST_H

#include <jansson.h>
#include <stdio.h>

/*
 * show_list: tenants and sinks of the daemon's status (docs/CONTROL.md), a line each, or
 * all there is of one. For 80 columns.
 */
void show_tenants(FILE *out, const json_t *status);
void show_sinks(FILE *out, const json_t *status);

/* The member of status's array whose key is name; NULL: there is none. Borrowed. */
const json_t *find_named(const json_t *status, const char *array, const char *key, const char *name);
void show_tenant(FILE *out, const json_t *tenant, const json_t *status);
void show_sink(FILE *out, const json_t *sink, const json_t *status);

#endif
