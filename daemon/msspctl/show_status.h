/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHOW_STATUS_H
#define SHOW_STATUS_H

#include <jansson.h>
#include <stdio.h>

/*
 * show_status: the status object in words, for a person, in 80 columns: what is
 * wrong first, then the tenants and the sinks. Healthy tenants are only counted.
 */
void show_status(FILE *out, const json_t *status);

#endif
