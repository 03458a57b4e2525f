/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/format.h"

const struct format *const formats[] = { &format_cef, &format_leef, &format_ocsf, &format_ecs,
	&format_raw, NULL };

const struct format *
format_find(const char *name)
{
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (strcmp((*f)->name, name) == 0)
			return *f;
	}
	return NULL;
}

bool
format_check(const char *name, struct err *err)
{
	struct buf names = BUF_INIT(200);

	if (format_find(name) != NULL)
		return true;
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (f != formats)
			buf_puts(&names, f[1] != NULL ? ", " : " or ");
		buf_puts(&names, (*f)->name);
	}
	err_set(err, ERR_CONF, "there is no format \"%.40s\"; write %s", name, names.p);
	buf_release(&names);
	return false;
}
