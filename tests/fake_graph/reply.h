/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_REPLY_H
#define FAKE_GRAPH_REPLY_H

#include "lib/base/buf.h"
#include "tests/fake_graph/server.h"

/*
 * reply: answers in the form of Microsoft's services, and in none at all.
 *
 * Each of these ends the ask.
 */
void reply_header(struct ask *a, const char *name, const char *value);
/* With the headers set so far; a bend of the plan may cut or drip it. */
void reply_body(struct ask *a, int status, struct str body);
void reply_json(struct ask *a, int status, struct str body);
/* {"error":{"code","message","innerError":…}} as Graph says it. */
void reply_graph_error(struct ask *a, int status, const char *code, const char *message);
/* 401 with WWW-Authenticate; claims: with a claims challenge. */
void reply_unauthorized(struct ask *a, const char *message, bool claims);
/* As Entra says it. */
void reply_token_error(struct ask *a, int code);
/* The fault of the plan that stands for an answer. */
void reply_fault(struct ask *a, enum fault_scope scope);

#endif
