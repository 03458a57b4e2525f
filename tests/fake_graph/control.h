/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_CONTROL_H
#define FAKE_GRAPH_CONTROL_H

/*
 * control: how a test steers a running server, and asks what it saw.
 *
 * JSON below /_control/ on the same listener; control_help() is its manual.
 */
struct ask;

/* Answers a request to /_control/…; ends the ask. */
void control_ask(struct ask *a);
void control_help(void);

#endif
