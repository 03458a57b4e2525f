/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_OPTIONS_H
#define FAKE_GRAPH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * options: what the command line asks for, checked.
 *
 * One option is one row of the table in options.c: name, place, range and help
 * are nowhere else. Strings point into argv.
 */
enum paging { PAGING_SKIPTOKEN, PAGING_SKIP, PAGING_NONE };
enum obey { OBEY_HONOUR, OBEY_IGNORE, OBEY_REFUSE };
enum corpus { CORPUS_REAL, CORPUS_BENCH };

#define MAX_NAMED 10000

struct options {
	const char *listen;
	const char *tls_cert, *tls_key;
	const char *public_url; /* NULL: made from listen */
	long long ntenants;
	const char **named; /* --tenant GUID:name */
	size_t nnamed;
	long long nalerts, nincidents, same_stamp, future, hostile;
	double rate, incident_rate;
	long long seed;
	int corpus;
	long long late_ms, stop_after, history, touches;
	const char *truth;
	const char *client_id, *client_secret, *secret_file;
	const char **certificates; /* --client-cert */
	size_t ncertificates;
	const char *federated_key, *federated_issuer, *federated_subject;
	long long token_lifetime, keepalive;
	int paging, orderby, filter;
	const char **policies; /* --policy TENANTS:paging=skip */
	size_t npolicies;
	long long max_top, per_minute, mde_per_minute, mde_per_hour, mde_only;
	bool is_alerts_only; /* tokens name the role for alerts only */
	bool page_gzip, with_control, is_quiet, shall_print_config;
	const char *config_file;
	long long gzip_level, gzip_cache;
	const char **faults;
	size_t nfaults;
};

enum options_end { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/* On OPTIONS_WRONG err says why. */
enum options_end options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_release(struct options *o);
void options_help(void);

#endif
