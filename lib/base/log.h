/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * log: one line an event, for the person who has to act.
 *
 * A line is "<priority>" where asked for (systemd), a prefix that names the
 * tenant or sink it is about, a short phrase, then key=value pairs; it says what
 * the daemon does next. Everything that is not printable ASCII or well-formed
 * UTF-8 text, or deceives who reads it (str.h), is escaped here, so text from the network
 * cannot forge a line.
 * Secrets and tokens are never arguments of a log call.
 *
 * The writer and the level are the only state, and the only globals of lib/:
 * set once at start (and by log-level). Callable from any thread.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* What a line is about; embedded in tenants and sinks. NULL: the daemon as a whole. */
struct log_ctx {
	const char *kind; /* "tenant", "sink" */
	const char *name;
};

/* One event; valid during the call of the writer. */
struct log_event {
	enum log_level level;
	const struct log_ctx *ctx; /* NULL: the daemon as a whole */
	struct str line;           /* level, context, phrase, pairs: escaped, no line end */
	struct str said;           /* the same without the level */
	struct str text;           /* the phrase and its pairs alone */
	const char *fmt;           /* that it was made by: it says which words are pairs */
};

typedef void log_writer(const struct log_event *e, void *arg);

void log_set_writer(log_writer *writer, void *arg); /* NULL: stderr */
/* Hears what is logged besides the writer. Called from any thread; must not log. */
void log_set_listener(log_writer *listener, void *arg); /* NULL: nobody */
/* One line and its end to stderr. */
void log_put_line(struct str line);

struct log_field {
	struct str key, value;
};
/* The pairs that an event ends with, in their order; at most max, the last ones. The phrase before
 * them is put into phrase. All point into the event. */
size_t log_fields(const struct log_event *e, struct log_field *out, size_t max, struct str *phrase);

void log_set_level(enum log_level level);
enum log_level log_level(void);
/* "error", "warning", "info", "debug": what lines say. */
const char *log_level_word(enum log_level level);
/* Priority prefixes "<3>" as sd-daemon(3) has them, for lines that the journal reads. */
void log_set_prefixes(int on);

void log_error(const struct log_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const struct log_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const struct log_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const struct log_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
