/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/canary.h"

#include "lib/json/writer.h"
#include "lib/record/fields.h"

/* In the order in which they are written, too. */
#define S struct canary
static const struct field rows[] = {
	TEXT("sink", sink, PART_NONE),
	TEXT("purpose", purpose, PART_NONE),
	TEXT("summary", summary, PART_NONE),
};
static const struct fields canary_fields = FIELDS(rows, S);
#undef S

void
canary_write(struct buf *out, const struct canary *c)
{
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct str *text = (const void *)((const char *)c + rows[i].off);

		if (text->n == 0)
			continue;
		jw_name(&w, rows[i].name);
		jw_str(&w, *text);
	}
	jw_object_end(&w);
}

void
canary_read(struct reading *rd, struct canary *c)
{
	*c = (struct canary){ 0 };
	if (!fields_read(rd, &canary_fields, c, NULL) || !jr_end(&rd->r))
		*c = (struct canary){ 0 };
}
