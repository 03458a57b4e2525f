/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * args: what stands on msspctl's command line behind the verb.
 */
struct args {
	const char *socket;     /* -s, or what stands for it */
	const char *config;     /* -c, or the one that is there without it */
	const char *state;      /* --state; NULL */
	bool is_json;           /* --json */
	bool is_raw;            /* --raw */
	bool is_sure;           /* --yes */
	bool wants_requests;    /* --requests */
	bool wants_all;         /* --all */
	const char *tenant, *sink, *from, *to; /* --tenant and so on; NULL */
	const char *day, *customer; /* --day, --customer; NULL */
	bool is_detached;       /* --detach */
	const char *timeout;    /* --timeout; NULL */
	char *const *names;     /* of tenants or customers; numbers of replays */
	size_t nnames;
};

#endif
