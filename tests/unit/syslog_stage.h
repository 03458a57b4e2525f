/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSLOG_STAGE_H
#define SYSLOG_STAGE_H

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/delivery/owner.h"
#include "daemon/delivery/sink_syslog_conf.h"
#include "lib/config/conf.h"
#include "tests/unit/pki.h"
#include "tests/unit/receiver.h"
#include "tests/unit/rig.h"

/*
 * syslog_stage: a syslog sink in a rig, and receivers a and b to which it is led. One a
 * program, and of the program; setup() and teardown() are its fixture.
 */
#define MAX_SEEN 6000

static struct rig rig;
static struct arena arena;
static struct sink_syslog_conf conf;
static struct receiver a, b;
static bool has_b;
static char *servers[4];
static char server_text[4][64];
static struct pki pki;
static char *key_file;
static int receive_room; /* of the receiver's socket; 0: the system's */

static inline void
defaults(void)
{
	struct problems problems;
	const struct conf c = { .arena = &arena, .problems = &problems };

	problems_init(&problems);
	(void)conf_fill_one(&c, NULL, sink_syslog_options, &conf); /* all but servers */
	problems_release(&problems);
	conf.servers = (struct conf_list) { .v = servers };
	conf.confirm_after_ms = 150;
	conf.connect_timeout_ms = 1000;
	conf.framing = SINK_FRAMING_AUTO;
}

static inline void
setup(void)
{
	rig_init(&rig);
	arena_init(&arena);
	has_b = false;
	receive_room = 0;
	defaults();
}

static inline void
teardown(void)
{
	rig_release(&rig);
	receiver_release(&a);
	if (has_b)
		receiver_release(&b);
	arena_release(&arena);
	if (pki.dir[0] != '\0')
		pki_remove(&pki);
	pki.dir[0] = '\0';
}

static inline void
add_server(const char *scheme, unsigned port)
{
	char *text = server_text[conf.servers.n];

	snprintf(text, sizeof(server_text[0]), "%s://127.0.0.1:%u", scheme, port);
	servers[conf.servers.n++] = text;
}

static inline void
listen_plain(enum receiver_framing framing)
{
	receiver_init(&a, rig.env.base, framing, NULL, MAX_SEEN);
	a.room = receive_room;
	ck_assert(receiver_listen(&a, 0));
	conf.framing = framing == RECEIVE_LF ? SINK_FRAMING_LF : SINK_FRAMING_OCTET;
	add_server("tcp", a.port);
}

/* asks: for a certificate of ours. */
static inline void
listen_tls(bool asks)
{
	pki_make(&pki);
	receiver_init(&a, rig.env.base, RECEIVE_OCTET,
	    pki_server(&pki, pki.server_cert, pki.server_key, asks), MAX_SEEN);
	ck_assert(receiver_listen(&a, 0));
	conf.tls.ca_file = pki.ca;
	add_server("tls", a.port);
}

static inline void
our_certificate(char *cert, char *key)
{
	key_file = key;
	conf.tls.certificate_file = cert;
	conf.tls.key_file = (struct conf_list) { .v = &key_file, .n = 1 };
}

static inline void
begin(void)
{
	rig_sink(&rig, "siem", &sink_syslog, &conf, "siem");
	rig_apply(&rig);
}

static inline bool
is_up(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "siem").link == SINK_UP;
}

static inline bool
is_refused(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "siem").link == SINK_REFUSED;
}

static inline bool
a_has_frames(void *arg)
{
	return a.frames >= *(size_t *)arg;
}

/* Everything has come, each message whole, and the sink knows it. */
static inline void
assert_all(const struct receiver *r, size_t n, int64_t ms)
{
	ck_assert_msg(rig_run_idle(&rig, ms), "open: %llu, seen %zu of %zu",
	    (unsigned long long)rig_backlog(&rig, "siem"), r->nseen, n);
	ck_assert_uint_eq(r->nseen, n);
	ck_assert_msg(r->torn == 0, "%s", r->why_torn);
}

#endif
