/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * str: pieces of text that belong to somebody else, and what one asks of them.
 *
 * A struct str is a view: it owns nothing, is not NUL-terminated and may hold
 * any byte. { NULL, 0 } means absent. It knows nothing of where text comes from.
 */
struct str {
	const char *s;
	size_t n;
};

#define STR(lit)     ((struct str){ lit, sizeof(lit) - 1 })
/* clang-format off */
#define STR_INIT(lit) { lit, sizeof(lit) - 1 } /* in a static table */
/* clang-format on */
#define STR_ARG(v)   (int)(v).n, (v).s != NULL ? (v).s : ""
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline struct str
str_of(const char *s)
{
	return (struct str){ s, s != NULL ? strlen(s) : 0 };
}

static inline bool
str_is(struct str a, const char *lit)
{
	size_t n = strlen(lit);

	return a.n == n && (n == 0 || memcmp(a.s, lit, n) == 0);
}

static inline bool
str_same(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

/* Copies n bytes as memcpy() does, which is a call: most text is a few of them. */
static inline void
str_copy(char *to, const char *from, size_t n)
{
	if (n > 32) {
		memcpy(to, from, n);
	} else if (n >= 16) {
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else {
		while (n-- > 0)
			to[n] = from[n];
	}
}

/* An integer's decimal digits, and its sign: how many bytes they take, and those bytes. */
size_t str_int_n(int64_t v);
void str_int_put(char *to, size_t n, int64_t v);

/* ASCII letters compare without case, everything else as it is; no locale. */
bool str_same_nocase(struct str a, struct str b);
bool str_starts(struct str a, const char *prefix);

/* 64-bit hash with a fixed key (SipHash-free, FNV-1a 64 with a finalizer): for
 * tables and spreading, never for security. Stable across versions: it is stored. */
uint64_t str_hash(const void *p, size_t n);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(const char *s, size_t n);

/*
 * Length of the well-formed UTF-8 sequence at s (1 to 4), or 0 when there is
 * none. n must be at least 1. *cp, when not NULL, receives the code point.
 */
size_t utf8_next(const char *s, size_t n, uint32_t *cp);

/* Encodes cp (at most 0x10FFFF) into out[4]; returns the length. */
size_t utf8_put(char *out, uint32_t cp);

/* What some reader of lines or terminal acts on: C0, DEL, C1, U+2028 and U+2029. */
static inline bool
utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/*
 * What turns the direction of text, or takes no room in it: shown as it is, text would seem to say
 * something else. before: the character in front of it, 0 where it is the first.
 */
bool utf8_is_deceiving(uint32_t cp, uint32_t before);

/* The longest length <= max at which s (of n bytes) can be cut without splitting a sequence. */
size_t utf8_cut(const char *s, size_t n, size_t max);

/* Lower-case GUID "8-4-4-4-12"; out has room for 37. False when s is not one. */
bool guid_parse(struct str s, char out[37]);

/* Edit distance of two short words, for "did you mean"; at most cap + 1. */
unsigned str_distance(struct str a, struct str b, unsigned cap);

#endif
