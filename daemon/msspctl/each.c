/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/each.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

int
for_each_name(const struct args *a, each_name *one, const void *how)
{
	int worst = EX_OK, status;

	for (size_t i = 0; i < a->nnames; i++) {
		status = one(a, a->names[i], how);
		worst = status != EX_OK ? status : worst;
	}
	return worst;
}

/* 0: it is none. */
static int64_t
number_of(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && n > 0 ? n : 0;
}

int
for_each_number(const struct args *a, const char *of, each_number *one, const void *how)
{
	int worst = EX_OK, status;

	for (size_t i = 0; i < a->nnames; i++) {
		if (number_of(a->names[i]) == 0) {
			fprintf(stderr, "msspctl: '%s' is no number of %s\n", a->names[i], of);
			return EX_USAGE;
		}
	}
	for (size_t i = 0; i < a->nnames; i++) {
		status = one(a, number_of(a->names[i]), how);
		worst = status != EX_OK ? status : worst;
	}
	return worst;
}
