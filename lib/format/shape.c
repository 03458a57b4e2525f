/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/alloc.h"
#include "lib/format/json_line.h"
#include "lib/format/moment.h"
#include "lib/format/shape.h"

#define JSON_DEPTH   28 /* deeper text is written as a string: json-c takes 31 levels, ours are 3 */
#define STAMP_DIGITS 7

void
shape_init(struct shape *s, struct buf *out, void *arg)
{
	*s = (struct shape){ .arg = arg };
	jw_init(&s->w, out);
}

/* ---- objects and arrays --------------------------------------------------------------- */

void
shape_put_open(struct shape *s, struct str name, bool is_array)
{
	BUG_IF(s->depth == SHAPE_DEPTH);
	s->frame[s->depth++] = (struct shape_frame){ .name = name, .is_array = is_array };
	s->last = (struct str){ NULL, 0 };
}

/* Begins what is still waiting for its first value. */
static void
begin(struct shape *s)
{
	unsigned i = s->depth;

	while (i > 0 && !s->frame[i - 1].is_open)
		i--;
	for (; i < s->depth; i++) {
		struct shape_frame *f = &s->frame[i];

		if (f->name.s != NULL)
			jw_plain_name_str(&s->w, f->name);
		if (f->is_array)
			jw_array(&s->w);
		else
			jw_object(&s->w);
		f->is_open = true;
	}
}

static void
count_element(struct shape *s)
{
	if (s->depth > 0 && s->frame[s->depth - 1].is_array)
		s->frame[s->depth - 1].index++;
}

bool
shape_close(struct shape *s)
{
	const struct shape_frame *f = &s->frame[--s->depth];

	if (!f->is_open)
		return false;
	if (f->is_array)
		jw_array_end(&s->w);
	else
		jw_object_end(&s->w);
	s->last = f->name;
	count_element(s);
	return true;
}

static size_t
path_max(const struct shape *s, struct str name)
{
	size_t n = name.n + SHAPE_STEP;

	for (unsigned i = 0; i < s->depth; i++)
		n += s->frame[i].name.n + SHAPE_STEP;
	return n;
}

static char *
put_index(char *to, unsigned index)
{
	size_t n = str_int_n(index);

	*to++ = '[';
	str_int_put(to, n, index);
	to += n;
	*to++ = ']';
	return to;
}

void
shape_path(const struct shape *s, struct str name, struct buf *out)
{
	char *start, *to;

	if (!buf_room(out, path_max(s, name)))
		return;
	start = to = out->p + out->n;
	for (unsigned i = 0; i <= s->depth; i++) {
		struct str member = i < s->depth ? s->frame[i].name : name;

		if (member.s != NULL) {
			if (to > start)
				*to++ = '.';
			str_copy(to, member.s, member.n);
			to += member.n;
		} else if (i > 0 && s->frame[i - 1].is_array) {
			to = put_index(to, s->frame[i - 1].index);
		}
	}
	*to = '\0';
	out->n = (size_t)(to - out->p);
}

/* ---- values ----------------------------------------------------------------------------- */

static inline void
go_on(struct shape *s, struct str name)
{
	if (!shape_is_open(s))
		begin(s);
	s->last = name;
}

static void
name_it(struct shape *s, struct str name)
{
	go_on(s, name);
	if (name.s != NULL)
		jw_plain_name_str(&s->w, name);
}

static inline void
write_text(struct shape *s, struct str name, struct str value, unsigned mark)
{
	go_on(s, name);
	if (name.s != NULL)
		jw_plain_member(&s->w, name, value);
	else
		jw_str(&s->w, value);
	if (mark != 0 && s->on_mark != NULL)
		s->on_mark(s, mark, name, value);
	count_element(s);
}

static void
write_cut(struct shape *s, struct str name, struct str value, unsigned mark)
{
	struct buf text = BUF_INIT(s->text_max + 3);

	buf_add(&text, value.s, utf8_cut(value.s, value.n, s->text_max));
	buf_puts(&text, "...");
	write_text(s, name, buf_peek(&text), mark);
	buf_release(&text);
}

void
shape_put_text(struct shape *s, struct str name, struct str value, unsigned mark)
{
	if (value.n == 0)
		return;
	if (s->text_max != 0 && value.n > s->text_max)
		write_cut(s, name, value, mark);
	else
		write_text(s, name, value, mark);
}

void
shape_put_whole(struct shape *s, struct str name, struct str value)
{
	if (value.n != 0)
		write_text(s, name, value, 0);
}

void
shape_put_int(struct shape *s, struct str name, int64_t value)
{
	go_on(s, name);
	if (name.s != NULL)
		jw_plain_int(&s->w, name, value);
	else
		jw_int(&s->w, value);
	count_element(s);
}

void
shape_put_bool(struct shape *s, struct str name, bool value)
{
	name_it(s, name);
	jw_bool(&s->w, value);
	count_element(s);
}

void
shape_put_time(struct shape *s, struct str name, int64_t ticks)
{
	int64_t ms = moment_ms(ticks);

	if (ms >= 0)
		shape_put_int(s, name, ms);
}

static void
put_stamp(struct shape *s, struct str name, int64_t ticks)
{
	char room[64];
	struct buf text = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	if (ticks == TICKS_NONE)
		return;
	ticks_write(&text, ticks, STAMP_DIGITS);
	shape_put_text(s, name, buf_peek(&text), 0);
}

static void
put_json(struct shape *s, struct str name, struct str json)
{
	name_it(s, name);
	jw_raw(&s->w, (struct str){ "", 0 });
	json_line(s->w.out, json);
	count_element(s);
}

void
shape_put_json(struct shape *s, struct str name, struct str json)
{
	if (json.n != 0 && json_is_flat(json, JSON_DEPTH))
		put_json(s, name, json);
	else
		shape_put_text(s, name, json, 0);
}

void
shape_put_object(struct shape *s, struct str name, struct str json)
{
	if (json.n != 0 && json_is_flat(json, JSON_DEPTH)) {
		put_json(s, name, json);
		return;
	}
	shape_put_open(s, name, false);
	shape_text(s, "json", json, 0);
	shape_close(s);
}

/* ---- tables ------------------------------------------------------------------------------ */

static bool
is_end(const struct shape_row *row)
{
	return row->how == SHAPE_ROWS && row->rows == NULL;
}

static void
write_texts(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct str *v =
	    *(const struct str *const *)(const void *)((const char *)base + row->off);
	size_t n = *(const size_t *)(const void *)((const char *)base + row->noff);

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < n; i++)
		shape_text(s, NULL, v[i], row->mark);
	shape_close(s);
}

static void
write_value(struct shape *s, const struct shape_row *row, const void *base)
{
	const void *at = (const char *)base + row->off;
	struct str name = shape_row_name(row);

	switch (row->how) {
	case SHAPE_TEXT:
		shape_put_text(s, name, *(const struct str *)at, row->mark);
		break;
	case SHAPE_WHOLE:
		shape_put_whole(s, name, *(const struct str *)at);
		break;
	case SHAPE_INT:
		if (*(const int64_t *)at >= 0)
			shape_put_int(s, name, *(const int64_t *)at);
		break;
	case SHAPE_TIME:
		shape_put_time(s, name, *(const int64_t *)at);
		break;
	case SHAPE_STAMP:
		put_stamp(s, name, *(const int64_t *)at);
		break;
	case SHAPE_JSON:
		shape_put_json(s, name, *(const struct str *)at);
		break;
	case SHAPE_TEXTS:
		write_texts(s, row, base);
		break;
	case SHAPE_CONST:
		shape_put_text(s, name, (struct str){ row->from, (size_t)row->number }, 0);
		break;
	case SHAPE_CONST_INT:
		shape_put_int(s, name, row->number);
		break;
	case SHAPE_CALL:
		row->fn(s, row, at);
		break;
	case SHAPE_ROWS:
		shape_rows(s, row->rows, at);
		break;
	case SHAPE_OPEN:
	case SHAPE_OPEN_ARRAY:
	case SHAPE_CLOSE:
		break;
	}
}

/* The row behind the CLOSE of the object that begins here. */
static const struct shape_row *
skip_object(const struct shape_row *row)
{
	unsigned depth = 0;

	do {
		if (row->how == SHAPE_OPEN || row->how == SHAPE_OPEN_ARRAY)
			depth++;
		else if (row->how == SHAPE_CLOSE)
			depth--;
		row++;
	} while (depth > 0);
	return row;
}

void
shape_rows(struct shape *s, const struct shape_row *rows, const void *base)
{
	for (const struct shape_row *row = rows; !is_end(row); row++) {
		bool is_begin = row->how == SHAPE_OPEN || row->how == SHAPE_OPEN_ARRAY;

		if (row->if_open && !shape_is_open(s)) {
			if (is_begin)
				row = skip_object(row) - 1;
			continue;
		}
		if (is_begin)
			shape_put_open(s, shape_row_name(row), row->how == SHAPE_OPEN_ARRAY);
		else if (row->how == SHAPE_CLOSE)
			shape_close(s);
		/* Names are compared as text: a spare's is another literal. */
		else if (!shape_is_last(s, shape_row_name(row)))
			write_value(s, row, base);
	}
}

/* ---- the manual ---------------------------------------------------------------------------- */

static void
describe_path(struct buf *out, const char *prefix, const char *const *stack, unsigned depth)
{
	buf_puts(out, prefix);
	for (unsigned i = 0; i < depth; i++) {
		if (out->n > 0 && out->p[out->n - 1] != '`' && stack[i][0] != '[')
			buf_byte(out, '.');
		buf_puts(out, stack[i]);
	}
}

static void
describe_row(
    struct buf *out, const struct shape_row *row, const char *const *stack, const char *prefix)
{
	unsigned depth = 0;

	while (stack[depth] != NULL)
		depth++;
	buf_puts(out, "| `");
	describe_path(out, prefix, stack, depth);
	if (row->name != NULL) {
		if (out->p[out->n - 1] != '`')
			buf_byte(out, '.');
		buf_puts(out, row->name);
	}
	buf_puts(out, "` | ");
	if (row->how == SHAPE_CONST)
		buf_printf(out, "always \"%s\"", row->from);
	else if (row->how == SHAPE_CONST_INT)
		buf_printf(out, "always %lld", (long long)row->number);
	else
		buf_puts(out, row->from);
	buf_puts(out, " |\n");
}

void
shape_describe(struct buf *out, const struct shape_row *rows, const char *prefix)
{
	const char *stack[SHAPE_DEPTH + 1] = { NULL };
	unsigned depth = 0;

	for (const struct shape_row *row = rows; !is_end(row); row++) {
		if (row->how == SHAPE_OPEN || row->how == SHAPE_OPEN_ARRAY) {
			BUG_IF(depth == SHAPE_DEPTH);
			stack[depth++] = row->name != NULL ? row->name : "[]";
		} else if (row->how == SHAPE_CLOSE) {
			stack[--depth] = NULL;
		} else if (row->how == SHAPE_ROWS) {
			struct buf inner = BUF_INIT(512);

			describe_path(&inner, prefix, stack, depth);
			shape_describe(out, row->rows, inner.p != NULL ? inner.p : "");
			buf_release(&inner);
		} else if (row->from != NULL) {
			describe_row(out, row, stack, prefix);
		}
	}
}
