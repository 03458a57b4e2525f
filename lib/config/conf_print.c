/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/config/conf.h"
#include "lib/config/unit.h"

#define TEXT_MAX (1024 * 1024)
#define WIDTH    96

/* ---- values --------------------------------------------------------------------- */

static void
put_date(struct buf *b, int64_t ticks)
{
	size_t n = b->n;

	if (ticks == 0) {
		buf_puts(b, "none");
		return;
	}
	ticks_write(b, ticks, 0);
	buf_cut(b, n + strlen("2027-03-01"));
}

void
conf_put_number(struct buf *b, enum conf_type type, int64_t n)
{
	if (type == CONF_TIME)
		unit_put_time(b, n);
	else if (type == CONF_SIZE)
		unit_put_size(b, n);
	else if (type == CONF_DATE)
		put_date(b, n);
	else
		buf_int(b, n);
}

static void
put_quoted(struct buf *b, const char *s)
{
	if (s == NULL) {
		buf_puts(b, "~");
		return;
	}
	buf_byte(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_byte(b, '\\');
		if (*s == '\n')
			buf_puts(b, "\\n");
		else
			buf_byte(b, *s);
	}
	buf_byte(b, '"');
}

static void
put_list(struct buf *b, const struct conf_list *list)
{
	buf_byte(b, '[');
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(b, i != 0 ? ", " : "");
		put_quoted(b, list->v[i]);
	}
	buf_byte(b, ']');
}

static void
put_pairs(struct buf *b, const struct conf_pairs *pairs)
{
	buf_byte(b, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		buf_puts(b, i != 0 ? ", " : "");
		put_quoted(b, pairs->v[i].key);
		buf_puts(b, ": ");
		put_quoted(b, pairs->v[i].value);
	}
	buf_byte(b, '}');
}

static void
put_value(struct buf *b, const struct conf_opt *o, const void *field)
{
	switch (o->type) {
	case CONF_STR:
		put_quoted(b, *(char *const *)field);
		break;
	case CONF_INT:
	case CONF_TIME:
	case CONF_SIZE:
	case CONF_DATE:
		conf_put_number(b, o->type, *(const int64_t *)field);
		break;
	case CONF_BOOL:
		buf_puts(b, *(const bool *)field ? "true" : "false");
		break;
	case CONF_CHOICE:
		buf_puts(b, o->choices[*(const int *)field]);
		break;
	case CONF_CHOICES:
		buf_int(b, *(const unsigned *)field);
		break;
	case CONF_LIST:
	case CONF_SECRET:
		put_list(b, field);
		break;
	case CONF_PAIRS:
		put_pairs(b, field);
		break;
	case CONF_MAP:
	case CONF_TREE:
		break;
	}
}

static void
write_rows(struct buf *b, const char *prefix, const struct conf_opt *table, const void *from)
{
	char name[200];

	for (const struct conf_opt *o = table; o != NULL && o->name != NULL; o++) {
		const void *field = (const char *)from + o->off;

		if (o->type == CONF_TREE)
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, o->name);
		if (o->type == CONF_MAP) {
			snprintf(name, sizeof(name), "%s%s.", prefix, o->name);
			write_rows(b, name, o->sub, field);
			continue;
		}
		buf_printf(b, "%s: ", name);
		put_value(b, o, field);
		buf_byte(b, '\n');
	}
}

void
conf_write(struct buf *b, const struct conf_opt *table, const void *from)
{
	write_rows(b, "", table, from);
}

static bool
is_equal(const struct conf_opt *o, const void *was, const void *now)
{
	struct buf a = BUF_INIT(TEXT_MAX), b = BUF_INIT(TEXT_MAX);
	bool equal;

	put_value(&a, o, was);
	put_value(&b, o, now);
	equal = str_same(buf_peek(&a), buf_peek(&b));
	buf_release(&a);
	buf_release(&b);
	return equal;
}

void
conf_fixed_changes(const struct conf_opt *table, const void *was, const void *now,
    const char *prefix, void (*changed)(void *arg, const char *name), void *arg)
{
	char name[200];

	for (const struct conf_opt *o = table; o->name != NULL; o++) {
		const void *a = (const char *)was + o->off, *b = (const char *)now + o->off;

		snprintf(name, sizeof(name), "%s%s", prefix, o->name);
		if (o->type == CONF_MAP) {
			snprintf(name, sizeof(name), "%s%s.", prefix, o->name);
			conf_fixed_changes(o->sub, a, b, name, changed, arg);
		} else if ((o->flags & CONF_FIXED) != 0 && !is_equal(o, a, b)) {
			changed(arg, name);
		}
	}
}

/* ---- the tables themselves -------------------------------------------------------- */

static const char *
type_name(const struct conf_opt *o)
{
	switch (o->type) {
	case CONF_STR:
		return "text";
	case CONF_INT:
		return "number";
	case CONF_BOOL:
		return "true or false";
	case CONF_TIME:
		return "duration";
	case CONF_SIZE:
		return "size";
	case CONF_DATE:
		return "date";
	case CONF_CHOICE:
		return "one of";
	case CONF_CHOICES:
		return "any of";
	case CONF_LIST:
		return "text or list";
	case CONF_SECRET:
		return "secret file(s)";
	case CONF_PAIRS:
		return "mapping of texts";
	case CONF_MAP:
	case CONF_TREE:
		return (o->flags & CONF_LISTED) != 0 ? "list of mappings" : "mapping";
	}
	return "";
}

static void
put_range(struct buf *b, const struct conf_opt *o)
{
	bool is_number = o->type == CONF_INT || o->type == CONF_TIME || o->type == CONF_SIZE;

	if (!is_number || (o->min == 0 && o->max == 0))
		return;
	buf_puts(b, ", ");
	conf_put_number(b, o->type, o->min);
	buf_puts(b, " to ");
	conf_put_number(b, o->type, o->max);
}

/* "duration, 1s to 1d", "one of a, b"; quote is put around each choice. */
static void
put_values(struct buf *b, const struct conf_opt *o, const char *quote)
{
	buf_puts(b, type_name(o));
	put_range(b, o);
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		buf_printf(b, "%s%s%s%s", i != 0 ? ", " : " ", quote, o->choices[i], quote);
}

/* No text at all is the same as none for who reads it. */
static bool
has_default(const struct conf_opt *o)
{
	return o->def != NULL && o->def[0] != '\0' && (o->flags & CONF_REQUIRED) == 0;
}

static const char *
shown_default(const struct conf_opt *o)
{
	if ((o->flags & CONF_REQUIRED) != 0)
		return "required";
	if (has_default(o))
		return o->def;
	return o->shown != NULL ? o->shown : "none";
}

/* Texts are written for the manual; a terminal shows them without its backquotes. */
static void
print_plain(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '`')
			fputc(text[i], out);
	}
}

/* Text in lines of WIDTH, each behind indent. */
static void
print_wrapped(FILE *out, const char *indent, const char *text)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (used != 0 && used + 1 + n > WIDTH - strlen(indent)) {
			fputc('\n', out);
			used = 0;
		}
		fputs(used == 0 ? indent : " ", out);
		print_plain(out, text, n);
		used += n + (used != 0);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void
conf_print_list(FILE *out, const char *prefix, const struct conf_opt *table)
{
	struct buf b = BUF_INIT(1000);
	char name[200];

	for (const struct conf_opt *o = table; o != NULL && o->name != NULL; o++) {
		if (o->type == CONF_MAP) {
			snprintf(name, sizeof(name), "%s%s.", prefix, o->name);
			conf_print_list(out, name, o->sub);
			continue;
		}
		buf_clear(&b);
		put_values(&b, o, "");
		fprintf(out, "%s%s (%s; default: ", prefix, o->name, b.p);
		print_plain(out, shown_default(o), strlen(shown_default(o)));
		fputs(")\n", out);
		print_wrapped(out, "    ", o->help);
	}
	buf_release(&b);
}

/* A bar would end the cell. */
static void
print_cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void
print_manual_row(FILE *out, const char *prefix, const struct conf_opt *o)
{
	struct buf b = BUF_INIT(1000);
	bool is_code = has_default(o);

	put_values(&b, o, "`");
	fprintf(out, "| `%s%s` | %s | %s%s%s | ", prefix, o->name, b.p, is_code ? "`" : "",
	    shown_default(o), is_code ? "`" : "");
	print_cell(out, o->help);
	fprintf(out, "%s |\n", (o->flags & CONF_FIXED) != 0 ? " A change needs a restart." : "");
	buf_release(&b);
}

static void
print_manual_rows(FILE *out, const char *prefix, const struct conf_opt *table)
{
	char name[200];

	for (const struct conf_opt *o = table; o->name != NULL; o++) {
		if (o->type != CONF_MAP) {
			print_manual_row(out, prefix, o);
			continue;
		}
		snprintf(name, sizeof(name), "%s%s.", prefix, o->name);
		print_manual_rows(out, name, o->sub);
	}
}

void
conf_print_manual(FILE *out, const struct conf_opt *table)
{
	fputs("| option | value | default | meaning |\n|---|---|---|---|\n", out);
	print_manual_rows(out, "", table);
}
