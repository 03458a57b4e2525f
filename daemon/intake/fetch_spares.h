/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_SPARES_H
#define FETCH_SPARES_H

#include <curl/curl.h>

#include "lib/base/inflate.h"

/*
 * fetch_spares: what requests use and the next ones use again: handles of curl,
 * and decoders. Inside fetch only; knows nothing of requests. Bounded.
 */
struct fetch_spares {
	CURL *handles[16];
	size_t nhandles;
	struct inflate *decoders[4];
	size_t ndecoders;
};

void fetch_spares_init(struct fetch_spares *f);
void fetch_spares_release(struct fetch_spares *f);

/* NULL: curl has none. */
CURL *fetch_spares_handle(struct fetch_spares *f);
/* It is on no multi any more. NULL is allowed. */
void fetch_spares_take_handle(struct fetch_spares *f, CURL *taken);

/* At its beginning. */
struct inflate *fetch_spares_decoder(struct fetch_spares *f);
/* NULL is allowed. */
void fetch_spares_take_decoder(struct fetch_spares *f, struct inflate *taken);

#endif
