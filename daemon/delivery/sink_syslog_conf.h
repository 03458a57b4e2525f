/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SYSLOG_CONF_H
#define SINK_SYSLOG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/target.h"
#include "daemon/delivery/tls.h"
#include "lib/config/option.h"
#include "lib/format/format.h"
#include "lib/format/header.h"

/*
 * sink_syslog_conf: the options of a syslog sink, and what they mean together.
 */
enum { SINK_FRAMING_AUTO, SINK_FRAMING_OCTET, SINK_FRAMING_LF };

struct sink_syslog_conf {
	struct conf_list servers;
	char *format;
	int header;  /* enum header_kind */
	int framing; /* SINK_FRAMING_… */
	char *hostname, *app_name, *structured_data, *time_zone, *facility;
	int64_t max_message;
	bool cef_plain_header, raw_data;
	int64_t confirm_after_ms, connect_timeout_ms, failback_ms, keepalive_ms;
	struct tls_opts tls;
};

extern const struct conf_opt sink_syslog_options[];

/* The check() of the sink's kind. */
bool sink_syslog_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err);

/* By name ("local4") or number; -1: neither. */
int facility_find(const char *text);
enum framing sink_syslog_framing(const struct sink_syslog_conf *c, enum transport transport);

#endif
