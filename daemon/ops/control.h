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
 * most 64 KiB; connections at most 32, each idle for at most a minute. Verbs are
 * the rows of a table in control.c; what they answer is in docs/CONTROL.md.
 */
struct control;

/* Replaces a socket that nobody listens on; refuses one that somebody does. */
struct control *control_open(struct event_base *base, struct engine *engine, const char *path,
    struct err *err) MUST_CHECK;
void control_close(struct control *c);

#endif
