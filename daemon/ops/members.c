/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/members.h"

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "lib/config/nearest.h"

#define SHOWN_MAX 80 /* bytes of a name that is none */

static bool
is_among(const char *const *names, const char *key)
{
	for (; *names != NULL; names++) {
		if (strcmp(*names, key) == 0)
			return true;
	}
	return false;
}

static void
offer(const char *const *names, struct nearest *near, struct buf *all)
{
	for (; *names != NULL; names++) {
		nearest_offer(near, *names);
		buf_printf(all, "%s%s", all->n > 0 ? ", " : "", *names);
	}
}

static bool
unknown(const char *key, const char *verb, const struct members *takes, struct err *err)
{
	struct str shown = { key, utf8_cut(key, strlen(key), SHOWN_MAX) };
	struct buf all = BUF_INIT(400);
	struct nearest near;

	nearest_init(&near, key);
	offer(takes->texts, &near, &all);
	offer(takes->numbers, &near, &all);
	offer(takes->bools, &near, &all);
	if (near.best != NULL)
		(void)err_set(err, ERR_PERM, "%s knows no \"%.*s\"; did you mean \"%s\"?", verb,
		    STR_ARG(shown), near.best);
	else
		(void)err_set(err, ERR_PERM, "%s knows no \"%.*s\"; it takes %s", verb, STR_ARG(shown),
		    all.n > 0 ? buf_peek(&all).s : "nothing");
	buf_release(&all);
	return false;
}

static bool
check_one(const char *key, const json_t *v, const char *verb, const struct members *takes, struct err *err)
{
	if (strcmp(key, "verb") == 0)
		return true;
	if (is_among(takes->texts, key))
		return json_is_string(v) || json_is_null(v)
		    || err_set(err, ERR_PERM, "\"%s\" is no text", key);
	if (is_among(takes->bools, key))
		return json_is_boolean(v) || json_is_null(v)
		    || err_set(err, ERR_PERM, "\"%s\" is no true or false", key);
	if (!is_among(takes->numbers, key))
		return unknown(key, verb, takes, err);
	if (!json_is_integer(v) && !json_is_null(v))
		return err_set(err, ERR_PERM, "\"%s\" is no whole number", key);
	return json_integer_value(v) >= 0 || err_set(err, ERR_PERM, "\"%s\" is below 0", key);
}

bool
members_check(const json_t *request, const char *verb, const struct members *takes, struct err *err)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)request, key, v) {
		if (!check_one(key, v, verb, takes, err))
			return false;
	}
	return true;
}

const char *
members_text(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

uint64_t
members_number(const json_t *request, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(request, key));

	return n > 0 ? (uint64_t)n : 0;
}
