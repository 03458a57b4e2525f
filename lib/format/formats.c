#include "lib/format/format.h"

const struct format *const formats[] = { &format_cef, &format_ocsf, &format_raw, NULL };

const struct format *
format_find(const char *name)
{
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (strcmp((*f)->name, name) == 0)
			return *f;
	}
	return NULL;
}
