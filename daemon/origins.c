/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/origins.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Stands for a stream of which the journal lost all it knew. */
static const char nobody[] = "{\"tenant_id\":\"unknown\",\"tenant\":\"unknown\","
			     "\"customer\":\"unknown\",\"customer_name\":\"unknown\",\"cloud\":\"global\","
			     "\"portal_host\":\"security.microsoft.com\",\"stream\":\"alerts\"}";

void
origins_init(struct origins *o, struct journal *j)
{
	*o = (struct origins){ .journal = j };
}

void
origins_release(struct origins *o)
{
	origins_forget(o);
	free(o->by_stream);
	*o = (struct origins){ 0 };
}

static struct origin **
place_for(struct origins *o, uint32_t stream)
{
	if (stream >= o->n) {
		o->by_stream = xreallocarray(
		    o->by_stream, (size_t)stream + 1, sizeof(struct origin *));
		while (o->n <= stream)
			o->by_stream[o->n++] = NULL;
	}
	return &o->by_stream[stream];
}

void
origins_set(struct origins *o, uint32_t stream, struct origin *taken)
{
	struct origin **place = place_for(o, stream);

	origin_unref(*place);
	*place = taken;
}

void
origins_forget(struct origins *o)
{
	for (size_t i = 0; i < o->n; i++) {
		origin_unref(o->by_stream[i]);
		o->by_stream[i] = NULL;
	}
}

static struct origin *
from_journal(struct origins *o, uint32_t stream)
{
	const char *about = journal_stream_about(o->journal, stream);
	struct origin *made = NULL;
	struct err err;

	if (about != NULL)
		made = origin_from_about(about, &err);
	if (made != NULL)
		return made;
	if (stream != 0) /* of what is damaged: nobody's */
		log_error(NULL, "nothing is known of stream=%" PRIu32 "; its entries go out as unknown",
		    stream);
	made = origin_from_about(nobody, &err);
	BUG_IF(made == NULL);
	return made;
}

const struct origin *
origins_find(struct origins *o, uint32_t stream)
{
	struct origin **place = place_for(o, stream);

	if (*place == NULL)
		*place = from_journal(o, stream);
	return *place;
}
