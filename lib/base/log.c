#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"

#define LINE_MAX_BYTES 4096

static log_writer *writer;
static void *writer_arg;
static log_listener *listener;
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
log_set_listener(log_listener *l, void *arg)
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

void
log_set_prefixes(int on)
{
	atomic_store(&has_prefixes, on);
}

static void
write_stderr(const char *line, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDERR_FILENO, line, n);

		if (k <= 0)
			return;
		line += k;
		n -= (size_t)k;
	}
}

/* Marks that make text run the other way, and so show something else than is there. */
static bool
turns_text(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* Controls, such marks and bytes that are not UTF-8 become \xHH; so a line is one line. */
static void
add_escaped(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t cp;

		len = utf8_next(s + i, n - i, &cp);
		if (len != 0 && !utf8_is_control(cp) && !turns_text(cp)) {
			buf_add(out, s + i, len);
			continue;
		}
		if (len == 0)
			len = 1;
		for (size_t k = 0; k < len; k++)
			buf_printf(out, "\\x%02x", (unsigned char)s[i + k]);
	}
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const struct log_ctx *c, const char *fmt, va_list ap)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };
	static const char priorities[] = { '3', '4', '6', '7' };
	struct buf text = BUF_INIT(LINE_MAX_BYTES), line = BUF_INIT(5 * LINE_MAX_BYTES);
	int prefixed = atomic_load(&has_prefixes);
	size_t begin;
	va_list again;

	if ((int)level > atomic_load(&threshold))
		return;
	va_copy(again, ap);
	buf_vprintf(&text, fmt, again);
	va_end(again);
	if (!buf_ok(&text)) {
		text.failed = false;
		buf_room(&text, LINE_MAX_BYTES);
		vsnprintf(text.p, LINE_MAX_BYTES, fmt, ap);
		text.n = strlen(text.p);
	}
	if (prefixed)
		buf_printf(&line, "<%c>", priorities[level]);
	else
		buf_printf(&line, "%s: ", words[level]);
	if (c != NULL && c->name != NULL) {
		buf_printf(&line, "%s ", c->kind);
		add_escaped(&line, c->name, strlen(c->name));
		buf_puts(&line, ": ");
	}
	begin = line.n;
	add_escaped(&line, text.p, text.n);
	if (listener != NULL && line.n > begin)
		listener(level, c, line.p + begin, line.n - begin, listener_arg);
	if (writer != NULL) {
		writer(level, line.p, line.n, writer_arg);
	} else {
		buf_byte(&line, '\n');
		write_stderr(line.p, line.n);
	}
	buf_release(&text);
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
