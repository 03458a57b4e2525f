/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_MAKER_H
#define FAKE_GRAPH_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "tests/fake_graph/rng.h"

/*
 * maker: writes values that look like Microsoft's, one after the other.
 *
 * A maker is a function that appends one JSON value; a kind of evidence is a
 * table of field names and makers (evidence.c). All parts of one alert speak of
 * the same few people and devices, so that the values fit together. All is
 * drawn from rng: the same seed writes the same bytes.
 */
struct maker {
	struct buf *b;
	struct rng rng;
	uint64_t cast;   /* seeds who and where: same for all parts of an alert */
	const char *org; /* of the tenant: user@org.example */
	const char *tenant_guid;
	int64_t when;          /* ticks: about when it happened */
	unsigned null_percent; /* how often a field that may be null is */
	unsigned variety;      /* hashes and GUIDs come from so many; 0: without end */
	bool has_newer_enums;  /* else they are written unknownFutureValue */
	unsigned verdicts;     /* how often an analyst or a machine revised them */
	unsigned depth;
};

typedef void make_fn(struct maker *m, const void *arg);

struct field {
	const char *name;
	make_fn *make;
	const void *arg;
};

/* {"name":value,…} for a NULL-ended table; arg is the table. */
make_fn make_object;
/* The same without braces, behind what is there. */
void make_fields(struct maker *m, const struct field *fields);

/* Choices: arg is a NULL-ended list of words; "|" among them: what follows is newer. */
make_fn make_word;
make_fn make_words; /* [0 to 2 of them] */

make_fn make_null, make_true_false, make_guid, make_small, make_int32, make_int64, make_port;
make_fn make_hex40, make_hex64, make_hex32, make_digits, make_mac, make_base64;
make_fn make_stamp, make_ip, make_ipv6, make_ips, make_private_ip;
make_fn make_user, make_upn, make_display_name, make_sid, make_domain, make_netbios, make_host,
    make_dns_name, make_org_domain, make_foreign_domain, make_foreign_mail, make_url, make_urls;
make_fn make_file_name, make_dir, make_command_line, make_publisher, make_registry_key, make_text,
    make_subject, make_user_agent, make_resource_id, make_labels, make_empty_list, make_latitude;

/* A time as Graph writes it: trailing zeros of the fraction cut, mostly. */
void put_stamp(struct buf *b, int64_t ticks, bool is_trimmed);

#endif
