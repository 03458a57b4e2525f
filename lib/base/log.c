/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"

#define LINE_MAX_BYTES 4096

static log_writer *writer;
static void *writer_arg;
static log_writer *listener;
static void *listener_arg;
static atomic_int threshold = LOG_LEVEL_INFO;
static atomic_int has_prefixes;

void
log_set_writer(log_writer *w, void *arg)
{
	writer = w;
	writer_arg = arg;
}

void
log_set_listener(log_writer *l, void *arg)
{
	listener = l;
	listener_arg = arg;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&threshold, level);
}

enum log_level
log_level(void)
{
	return (enum log_level)atomic_load(&threshold);
}

const char *
log_level_word(enum log_level level)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };

	return words[level];
}

void
log_set_prefixes(int on)
{
	atomic_store(&has_prefixes, on);
}

void
log_put_line(struct str line)
{
	struct buf whole = BUF_INIT(5 * LINE_MAX_BYTES);

	buf_str(&whole, line);
	buf_byte(&whole, '\n');
	for (size_t at = 0; at < whole.n;) {
		ssize_t k = write(STDERR_FILENO, whole.p + at, whole.n - at);

		if (k <= 0)
			break;
		at += (size_t)k;
	}
	buf_release(&whole);
}

/* Controls, what deceives and bytes that are not UTF-8 become \xHH; so a line is one line. */
static void
add_escaped(struct buf *out, const char *s, size_t n)
{
	uint32_t cp = 0, before;

	for (size_t i = 0, len; i < n; i += len) {
		before = cp;
		len = utf8_next(s + i, n - i, &cp);
		if (len != 0 && !utf8_is_control(cp) && !utf8_is_deceiving(cp, before)) {
			buf_add(out, s + i, len);
			continue;
		}
		if (len == 0)
			len = 1;
		for (size_t k = 0; k < len; k++)
			buf_printf(out, "\\x%02x", (unsigned char)s[i + k]);
	}
}

/* The phrase and its pairs; what is longer than a line may be is cut. */
static void __attribute__((format(printf, 2, 0)))
add_text(struct buf *out, const char *fmt, va_list ap)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	va_list again;

	va_copy(again, ap);
	buf_vprintf(&text, fmt, again);
	va_end(again);
	if (!buf_ok(&text)) {
		text.failed = false;
		buf_room(&text, LINE_MAX_BYTES);
		vsnprintf(text.p, LINE_MAX_BYTES, fmt, ap);
		text.n = strlen(text.p);
	}
	add_escaped(out, text.p, text.n);
	buf_release(&text);
}

static void
add_level(struct buf *out, enum log_level level)
{
	static const char priorities[] = { '3', '4', '6', '7' };

	if (atomic_load(&has_prefixes))
		buf_printf(out, "<%c>", priorities[level]);
	else
		buf_printf(out, "%s: ", log_level_word(level));
}

static void
add_context(struct buf *out, const struct log_ctx *c)
{
	if (c == NULL || c->name == NULL)
		return;
	buf_printf(out, "%s ", c->kind);
	add_escaped(out, c->name, strlen(c->name));
	buf_puts(out, ": ");
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const struct log_ctx *c, const char *fmt, va_list ap)
{
	struct buf line = BUF_INIT(5 * LINE_MAX_BYTES);
	struct log_event e = { .level = level, .ctx = c, .fmt = fmt };
	size_t said, text;

	if ((int)level > atomic_load(&threshold))
		return;
	add_level(&line, level);
	said = line.n;
	add_context(&line, c);
	text = line.n;
	add_text(&line, fmt, ap);
	e.line = (struct str) { line.p, line.n };
	e.said = (struct str) { line.p + said, line.n - said };
	e.text = (struct str) { line.p + text, line.n - text };
	if (listener != NULL && e.text.n > 0)
		listener(&e, listener_arg);
	if (writer != NULL)
		writer(&e, writer_arg);
	else
		log_put_line(e.line);
	buf_release(&line);
}

#define LOG_FUNCTION(name, level) \
	void name(const struct log_ctx *c, const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		log_line(level, c, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
