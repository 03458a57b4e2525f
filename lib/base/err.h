/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERR_H
#define ERR_H

#include <stdbool.h>
#include <stdarg.h>

/*
 * err: why something failed, and what the caller should do about it.
 *
 * It knows nothing of where it happened; callers add that with err_wrap(), so
 * that a line reads outside-in: "tenant contoso: token: HTTP 401: ...".
 *
 * Promises
 *  - text is a complete sentence part without a final stop, loggable as it is,
 *    at most ERR_TEXT bytes, cut at a character border.
 *  - an err is untouched on success.
 */
enum err_kind {
	ERR_NONE = 0,
	ERR_TEMP, /* try again later */
	ERR_AUTH, /* refresh the credentials once, then park */
	ERR_PERM, /* will never work for this item */
	ERR_CONF, /* tell the operator */
};

#define ERR_TEXT 600

struct err {
	enum err_kind kind;
	char text[ERR_TEXT];
};

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Fills err (which may be NULL) and returns false, so that a failing function can return it. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with ": strerror(errnum)" behind the text. */
bool err_sys(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Puts "context: " before the text; keeps the kind; returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
