/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/members.h"

#include "lib/base/str.h"

enum { TEXT = 1, NUMBER = 2, BOOL = 4 };

static const struct {
	const char *key;
	unsigned may; /* bits of the above */
} members[] = {
	{ "verb", TEXT }, { "tenant", TEXT }, { "sink", TEXT }, { "id", TEXT }, { "level", TEXT },
	{ "file", TEXT }, { "to", TEXT }, { "from", TEXT | NUMBER }, { "number", NUMBER },
	{ "after", NUMBER }, { "max", NUMBER }, { "look", NUMBER }, { "test", NUMBER },
	{ "errand", NUMBER }, { "timeout_ms", NUMBER }, { "all", BOOL }, { "sure", BOOL },
	{ "day", TEXT }, { "customer", TEXT }, { "report", NUMBER },
};

static const char *
word_of(unsigned may)
{
	switch (may) {
	case TEXT:
		return "text";
	case NUMBER:
		return "number";
	case BOOL:
		return "true or false";
	}
	return "text or number";
}

/* 0: none of them. */
static unsigned
type_of(const json_t *v)
{
	if (json_is_string(v))
		return TEXT;
	if (json_is_integer(v))
		return NUMBER;
	return json_is_boolean(v) ? BOOL : 0;
}

bool
members_are_typed(const json_t *request, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *v = json_object_get(request, members[i].key);

		if (v != NULL && !json_is_null(v) && (type_of(v) & members[i].may) == 0)
			return err_set(err, ERR_PERM, "\"%s\" is no %s", members[i].key,
			    word_of(members[i].may));
	}
	return true;
}
