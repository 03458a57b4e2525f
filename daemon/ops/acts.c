/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/ops/acts.h"
#include "daemon/ops/members.h"
#include "lib/base/log.h"

json_t *
acts_poll(struct engine *e, const json_t *request, struct err *err)
{
	const char *tenant = members_text(request, "tenant");
	size_t n = engine_poll(e, tenant);

	if (n > 0)
		return json_pack("{s:I}", "streams", (json_int_t)n);
	err_set(err, ERR_PERM, "there is no tenant '%s'", tenant != NULL ? tenant : "");
	return NULL;
}

json_t *
acts_log_level(const json_t *request, struct err *err)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	const char *name = members_text(request, "level");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name == NULL || strcmp(names[i], name) != 0)
			continue;
		log_set_level((enum log_level)i);
		return json_pack("{s:s}", "level", name);
	}
	err_set(err, ERR_PERM, "level is one of error, warn, info, debug");
	return NULL;
}

json_t *
acts_hold(struct engine *e, const json_t *request, bool is_held, struct err *err)
{
	const char *tenant = members_text(request, "tenant"), *sink = members_text(request, "sink");
	bool ok;

	if ((tenant == NULL) == (sink == NULL)) {
		err_set(err, ERR_PERM, "name a tenant or a sink");
		return NULL;
	}
	ok = tenant != NULL ? engine_hold_tenant(e, tenant, is_held, err)
			    : engine_hold_sink(e, sink, is_held, err);
	return ok ? json_object() : NULL;
}

json_t *
acts_sink_forget(struct engine *e, const json_t *request, struct err *err)
{
	const char *name = members_text(request, "sink");

	if (name == NULL) {
		err_set(err, ERR_PERM, "sink is missing");
		return NULL;
	}
	return engine_forget_sink(e, name, err) ? json_object() : NULL;
}
