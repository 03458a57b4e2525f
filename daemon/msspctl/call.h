/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CALL_H
#define CALL_H

#include <jansson.h>
#include <stdbool.h>

/*
 * call: one question to the running daemon over its control socket (the
 * protocol is in docs/CONTROL.md). Blocks, for at most half a minute.
 *
 * Returns the result (the caller's), or NULL after saying on standard error what
 * is wrong and what to do, with *status set (sysexits.h): 69 no daemon there, 77
 * no permission, 70 an answer that makes no sense, 1 the daemon says no.
 */
json_t *call(const char *socket_path, json_t *taken_request, int *status);

#endif
