/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/belongings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

/* "global/GUID" of "global/GUID/alerts"; empty for what is no tenant's. */
static struct str
owner_of(const char *stream_key)
{
	const char *last = strrchr(stream_key, '/');
	struct str owner = { stream_key, last != NULL ? (size_t)(last - stream_key) : 0 };

	if (owner.n == 0 || memchr(owner.s, '/', owner.n) == NULL)
		owner.n = 0;
	return owner;
}

static bool
is_meant(struct origins *o, uint32_t stream, struct str owner, const char *tenant)
{
	const struct origin *who = origins_find(o, stream);

	return strcmp(who->tenant, tenant) == 0 || strcmp(who->tenant_id, tenant) == 0 ||
	       str_same(owner, str_of(tenant));
}

static bool
add(struct journal_filter *out, uint32_t stream, struct err *err)
{
	if (out->nstreams == JOURNAL_STREAMS)
		return err_set(err, ERR_PERM, "that tenant has more than %d streams", JOURNAL_STREAMS);
	out->streams[out->nstreams++] = stream;
	return true;
}

static bool
find(struct origins *o, const char *tenant, struct journal_filter *out, struct str *whose,
    struct err *err)
{
	uint32_t n = journal_streams(o->journal);

	for (uint32_t i = 1; i <= n; i++) {
		const char *key = journal_stream_key(o->journal, i);
		struct str owner = key != NULL ? owner_of(key) : (struct str){ NULL, 0 };

		if (owner.n == 0 || !is_meant(o, i, owner, tenant))
			continue;
		if (whose->n == 0)
			*whose = owner;
		if (!str_same(*whose, owner))
			return err_set(err, ERR_PERM,
			    "'%.80s' has been the name of more than one tenant; say which you mean: "
			    "%.*s or %.*s", tenant, STR_ARG(*whose), STR_ARG(owner));
		if (!add(out, i, err))
			return false;
	}
	return whose->n > 0 ||
	       err_set(err, ERR_PERM, "the journal knows nothing of a tenant '%.80s'", tenant);
}

bool
belongings_find(struct origins *o, const char *tenant, struct journal_filter *out, char **key,
    struct err *err)
{
	struct str whose = { NULL, 0 };
	char *owner;
	bool ok;

	out->nstreams = 0;
	if (!find(o, tenant, out, &whose, err))
		return false;
	/* One of its streams may still have a name from before. */
	owner = xstrndup(whose.s, whose.n);
	whose.n = 0;
	out->nstreams = 0;
	ok = find(o, owner, out, &whose, err);
	if (ok && key != NULL)
		*key = owner;
	else
		free(owner);
	return ok;
}
