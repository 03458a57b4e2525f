/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_spares.h"

#include "lib/base/str.h"

void
fetch_spares_init(struct fetch_spares *f)
{
	*f = (struct fetch_spares){ 0 };
}

void
fetch_spares_release(struct fetch_spares *f)
{
	while (f->nhandles > 0)
		curl_easy_cleanup(f->handles[--f->nhandles]);
	while (f->ndecoders > 0)
		inflate_free(f->decoders[--f->ndecoders]);
}

CURL *
fetch_spares_handle(struct fetch_spares *f)
{
	return f->nhandles > 0 ? f->handles[--f->nhandles] : curl_easy_init();
}

/* Handles are kept with nothing in them but TLS sessions, which hold no customer's secret. */
void
fetch_spares_take_handle(struct fetch_spares *f, CURL *taken)
{
	if (taken == NULL)
		return;
	curl_easy_reset(taken);
	if (f->nhandles < ARRAY_LEN(f->handles))
		f->handles[f->nhandles++] = taken;
	else
		curl_easy_cleanup(taken);
}

struct inflate *
fetch_spares_decoder(struct fetch_spares *f)
{
	struct inflate *z = f->ndecoders > 0 ? f->decoders[--f->ndecoders] : inflate_new();

	inflate_restart(z);
	return z;
}

void
fetch_spares_take_decoder(struct fetch_spares *f, struct inflate *taken)
{
	if (taken != NULL && f->ndecoders < ARRAY_LEN(f->decoders))
		f->decoders[f->ndecoders++] = taken;
	else
		inflate_free(taken);
}
