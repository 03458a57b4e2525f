/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIPING_H
#define WIPING_H

#include <stddef.h>

/*
 * wiping: memory that is overwritten when it is let go, for libraries through whose hands
 * secrets go: curl (requests with tokens and secrets), OpenSSL (keys as they are read, what
 * came over TLS) and jansson (answers with tokens). They free what they copied as it is.
 *
 * It knows nothing of what is a secret. All come from malloc(), so that free() may let go of
 * them, too (and then wipes nothing). Out of memory gives NULL, which these libraries expect.
 *
 * Costs the writing of what is freed: under a microsecond for 16 KiB. Any thread.
 */
void *wiping_malloc(size_t size);
void *wiping_calloc(size_t n, size_t size);
void *wiping_realloc(void *p, size_t size); /* never leaves a copy where it was */
char *wiping_strdup(const char *s);
void wiping_free(void *p);

/* Has OpenSSL and jansson use them; before anything else is done with either (an OpenSSL that has
 * begun already keeps its own). Who begins with curl gives them to curl_global_init_mem(). */
void wiping_begin(void);

#endif
