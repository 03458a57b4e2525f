/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/exposition.h"

#include <stdio.h>

const char *const exposition_types[] = { "counter", "gauge", "histogram" };

void
exposition_head(struct buf *b, const char *name, enum exposition_type type, const char *help)
{
	buf_puts(b, "# HELP ");
	buf_puts(b, name);
	buf_byte(b, ' ');
	buf_puts(b, help);
	buf_puts(b, "\n# TYPE ");
	buf_puts(b, name);
	buf_byte(b, ' ');
	buf_puts(b, exposition_types[type]);
	buf_byte(b, '\n');
}

static void
put_escaped(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_next(s + i, n - i, NULL);
		if (len == 0) {
			buf_puts(b, "\xef\xbf\xbd");
			len = 1;
		} else if (s[i] == '\n') {
			buf_puts(b, "\\n");
		} else {
			if (s[i] == '"' || s[i] == '\\')
				buf_byte(b, '\\');
			buf_add(b, s + i, len);
		}
	}
}

void
exposition_label(struct buf *b, const char *name, const char *value)
{
	if (b->n != 0)
		buf_byte(b, ',');
	buf_puts(b, name);
	buf_puts(b, "=\"");
	put_escaped(b, value, strlen(value));
	buf_byte(b, '"');
}

static void
put_series(struct buf *b, const char *name, struct str labels)
{
	buf_puts(b, name);
	if (labels.n != 0) {
		buf_byte(b, '{');
		buf_str(b, labels);
		buf_byte(b, '}');
	}
	buf_byte(b, ' ');
}

static void
put_thousandths(struct buf *b, int64_t value)
{
	int64_t whole = value / 1000, part = value % 1000;

	if (value < 0)
		buf_byte(b, '-');
	buf_int(b, whole < 0 ? -whole : whole);
	if (part == 0)
		return;
	part = part < 0 ? -part : part;
	buf_byte(b, '.');
	for (int64_t unit = 100; part != 0; unit /= 10) {
		buf_byte(b, (char)('0' + part / unit));
		part %= unit;
	}
}

void
exposition_number(struct buf *b, const char *name, struct str labels, int64_t value)
{
	put_series(b, name, labels);
	buf_int(b, value);
	buf_byte(b, '\n');
}

void
exposition_thousandths(struct buf *b, const char *name, struct str labels, int64_t value)
{
	put_series(b, name, labels);
	put_thousandths(b, value);
	buf_byte(b, '\n');
}

/* bound_ms negative: no bound. */
static void
put_bucket(struct buf *b, const char *name, struct str labels, int64_t bound_ms, uint64_t count)
{
	buf_puts(b, name);
	buf_puts(b, "_bucket{");
	buf_str(b, labels);
	buf_puts(b, labels.n != 0 ? ",le=\"" : "le=\"");
	if (bound_ms < 0)
		buf_puts(b, "+Inf");
	else
		put_thousandths(b, bound_ms);
	buf_puts(b, "\"} ");
	buf_int(b, (int64_t)count);
	buf_byte(b, '\n');
}

void
exposition_histogram(
    struct buf *b, const char *name, struct str labels, const struct histogram *h)
{
	char part[96];
	uint64_t count = 0;

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		count += h->counts[i];
		put_bucket(b, name, labels, i < HISTOGRAM_BOUNDS ? h->bounds->ms[i] : -1, count);
	}
	snprintf(part, sizeof(part), "%s_sum", name);
	exposition_thousandths(b, part, labels, (int64_t)h->sum_ms);
	snprintf(part, sizeof(part), "%s_count", name);
	exposition_number(b, part, labels, (int64_t)count);
}
