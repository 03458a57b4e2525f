/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_TRUTH_H
#define FAKE_GRAPH_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "tests/fake_graph/world.h"

/*
 * truth: what existed and when, for comparing with what was delivered.
 *
 * JSON lines, in order of time. At the birth of a version:
 *   {"t":"v","tenant":GUID,"index":n,"stream":"alerts"|"incidents",
 *    "mde":"no"|"both"|"only","key":"…","id":"…"|null,"version":n,
 *    "created":"…","updated":"2026-11-22T04:10:46.0900000Z","severity":"high",
 *    "status":"new","evidence":n,"title":"…","visible_from":ms,"replaced_at":0,
 *    "event":"new","change":"new","poller_could_see":true,
 *    "hostile":null|"class","reads":"plain"|"repair"|"unreadable","sha256":null|"…",
 *    "state":"…"}
 * and when it is shown no more, or was overtaken before it was shown:
 *   {"t":"x","tenant":GUID,"stream":"…","key":"…","version":n,"updated":"…","replaced_at":ms,
 *    "poller_could_see":true|false}
 *
 *  - key names the alert in its tenant; it is the id, also where the alert hides
 *    it. id is what a reader should find; null: none that can be trusted.
 *  - evidence counts the items; null where that is a matter of opinion.
 *  - updated always has 7 digits. visible_from and replaced_at are wall clock
 *    milliseconds; a version is shown in [visible_from, replaced_at).
 *  - event is new, updated, escalated, resolved or reopened; change says more:
 *    new evidence verdict comment assigned escalated lowered resolved reopened
 *    touched merged. After touched only lastUpdateDateTime differs.
 *  - sha256 of the alert's bytes as sent, for unreadable ones.
 *  - state: a digest of all but lastUpdateDateTime. A later version with the same
 *    one tells nothing new to whoever did not see those between them.
 */
struct truth;

struct truth *truth_open(const char *path, struct err *err); /* NULL path: keeps nothing */
void truth_close(struct truth *t);
/* The world's listener; arg is the truth. */
world_listener truth_listen;
/* Written lines reach the file. */
void truth_flush(struct truth *t);

/* The v line of a version, as it stands. */
void truth_line(struct buf *b, const struct version *v);

const char *change_name(enum change c);
void truth_help(void);

#endif
