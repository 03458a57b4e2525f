/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_H
#define CONTROL_H

#include "daemon/engine.h"

/*
 * control: the socket that msspctl speaks to. A Unix stream socket, mode 0660:
 * who may open it may ask. One JSON object a line each way, UTF-8:
 *
 *   -> {"verb": "status"}
 *   <- {"ok": true, "result": {…}}
 *   <- {"ok": false, "error": "what is wrong"}
 *
 * A connection may ask any number of times, one after the other. Lines are at
 * most 64 KiB; connections at most 32, each idle for at most a minute; a client
 * that reads no answers gets no more than a megabyte of them. Verbs are the rows of
 * a table in control.c; what they answer is in docs/CONTROL.md.
 */
struct control;

/* What a reload does: as engine_reload(). */
typedef bool control_reload(void *arg, struct err *err);

/*
 * Replaces a socket that nobody listens on; refuses one that somebody does (ERR_TEMP),
 * and anything that is no socket (ERR_CONF). NULL on failure.
 */
struct control *control_open(struct event_base *base, struct engine *engine, const char *path,
    control_reload *reload, void *arg, struct err *err) MUST_CHECK;
/* Clients are hung up on; the socket's file goes. */
void control_close(struct control *c);

#endif
