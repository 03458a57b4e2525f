/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tests/unit/json_lines.h"

const char *
line_fault(struct str text)
{
	for (size_t i = 0, len; i < text.n; i += len) {
		uint32_t cp;

		len = utf8_next(text.s + i, text.n - i, &cp);
		if (len == 0)
			return "a byte that is not UTF-8";
		if (utf8_is_control(cp))
			return "a control character";
	}
	return NULL;
}

json_t *
json_at(json_t *top, const char *path)
{
	while (top != NULL && *path != '\0') {
		size_t n = strcspn(path, ".[");
		char name[200];

		if (*path == '[') {
			top = json_array_get(top, strtoul(path + 1, NULL, 10));
			path += strcspn(path, "]") + 1;
		} else {
			if (n >= sizeof(name))
				return NULL;
			memcpy(name, path, n);
			name[n] = '\0';
			top = json_object_get(top, name);
			path += n;
		}
		path += *path == '.';
	}
	return top;
}

const char *
observables_fault(json_t *top)
{
	json_t *list = json_object_get(top, "observables"), *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		const char *name = json_string_value(json_object_get(o, "name"));
		json_t *value = json_object_get(o, "value");

		if (name == NULL || !json_is_string(value) ||
		    !json_is_integer(json_object_get(o, "type_id")) ||
		    !json_is_string(json_object_get(o, "type")))
			return "an observable lacks something";
		if (!json_equal(json_at(top, name), value))
			return name;
	}
	return NULL;
}
