/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * scan: where a run of ordinary string bytes ends; the one place where JSON is
 * looked at sixteen bytes at a time, because three quarters of an alert are the
 * insides of strings. It never reads at or past end.
 */

/* With plain_only every byte that is not printable ASCII stops it, too. */
static inline bool
scan_stops_at(unsigned char c, bool plain_only)
{
	return c == '"' || c == '\\' || (plain_only && (c < 0x20 || c >= 0x80));
}

#ifdef __SSE2__
/* A bit for each of sixteen bytes that stops it. */
static inline unsigned
scan_sixteen(const char *p, bool plain_only)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i stop = _mm_or_si128(
	    _mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

	/* Compared as signed bytes, 0x80 and above are below the space. */
	if (plain_only)
		stop = _mm_or_si128(stop, _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));
	return (unsigned)_mm_movemask_epi8(stop);
}

/* A bit for each of 64 bytes, from its highest. */
static inline uint64_t
scan_mask(__m128i a, __m128i b, __m128i c, __m128i d)
{
	uint64_t low = (unsigned)_mm_movemask_epi8(a) | (unsigned)_mm_movemask_epi8(b) << 16,
		 high = (unsigned)_mm_movemask_epi8(c) | (unsigned)_mm_movemask_epi8(d) << 16;

	return low | high << 32;
}

/* Of 64 bytes, a bit for each that is c. Written out, for the compiler leaves loops as they are. */
static inline uint64_t
scan_bits(const __m128i v[4], char c)
{
	const __m128i all = _mm_set1_epi8(c);

	return scan_mask(_mm_cmpeq_epi8(v[0], all), _mm_cmpeq_epi8(v[1], all),
	    _mm_cmpeq_epi8(v[2], all), _mm_cmpeq_epi8(v[3], all));
}

/* Of sixteen bytes, all bits of those that are quotes or backslashes. */
static inline __m128i
scan_escapable(__m128i v)
{
	return _mm_or_si128(
	    _mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
}

/* The same of those that are not printable ASCII: with one added, they are below '!' as signed
 * bytes. */
static inline __m128i
scan_odd(__m128i v)
{
	return _mm_cmpgt_epi8(_mm_set1_epi8('!'), _mm_add_epi8(v, _mm_set1_epi8(1)));
}

/* The same of those that do not stand for themselves in a string, and of DEL. */
static inline __m128i
scan_stops(__m128i v)
{
	return _mm_or_si128(scan_escapable(v), scan_odd(v));
}

/* Copies sixteen bytes; returns their stops. */
static inline __m128i
scan_copy_sixteen(char *to, const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	_mm_storeu_si128((__m128i *)(void *)to, v);
	return scan_stops(v);
}

/* Each bit becomes the parity of the bits up to it. */
static inline uint64_t
scan_parity(uint64_t x)
{
	x ^= x << 1;
	x ^= x << 2;
	x ^= x << 4;
	x ^= x << 8;
	x ^= x << 16;
	return x ^ x << 32;
}
#endif

static inline const char *
scan_string(const char *p, const char *end, bool plain_only)
{
#ifdef __SSE2__
	/* Most strings end within 32 bytes: the loop is as good as none. */
	for (; end - p >= 32; p += 32) {
		unsigned low = scan_sixteen(p, plain_only);
		unsigned mask = low | scan_sixteen(p + 16, plain_only) << 16;

		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && !scan_stops_at((unsigned char)*p, plain_only))
		p++;
	return p;
}

/* The next quote or backslash. */
static inline const char *
scan_quote(const char *p, const char *end)
{
	return scan_string(p, end, false);
}

/* Of eight bytes: is there one that does not stand for itself in a string, or DEL? */
static inline bool
scan_eight_stops(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\', del = x ^ ones * 0x7f;
	uint64_t stops = x | ((x - ones * 0x20) & ~x);

	stops |= (quote - ones) & ~quote;
	stops |= (backslash - ones) & ~backslash;
	stops |= (del - ones) & ~del;
	return (stops & high) != 0;
}

/* The same of two eights. */
static inline bool
scan_pair_stops(uint64_t x, uint64_t y)
{
#ifdef __SSE2__
	return _mm_movemask_epi8(scan_stops(_mm_set_epi64x((long long)y, (long long)x))) != 0;
#else
	return scan_eight_stops(x) || scan_eight_stops(y);
#endif
}

/* Copies 4 to 15 bytes by their two ends, which may overlap. False where one of them does not
 * stand for itself: then nothing is written. */
static inline bool
scan_copy_short(char *to, const char *p, size_t n)
{
	uint64_t first = UINT64_C(0x2020202020202020), last = first;
	size_t end = n >= 8 ? 8 : 4;

	if (end == 8) {
		memcpy(&first, p, 8);
		memcpy(&last, p + n - 8, 8);
	} else {
		memcpy(&first, p, 4);
		memcpy(&last, p + n - 4, 4);
	}
	if (scan_pair_stops(first, last))
		return false;
	if (end == 8) {
		memcpy(to, &first, 8);
		memcpy(to + n - 8, &last, 8);
	} else {
		memcpy(to, &first, 4);
		memcpy(to + n - 4, &last, 4);
	}
	return true;
}

/*
 * Copies n bytes that all stand for themselves, as nearly all short text does: without asking
 * where it does not. False where one of them does not; what is at to is worth nothing then.
 */
static inline bool
scan_copy_plain(char *to, const char *p, size_t n)
{
#ifdef __SSE2__
	if (n >= 16) {
		__m128i stops = scan_copy_sixteen(to + n - 16, p + n - 16);

		for (size_t i = 0; i + 16 < n; i += 16)
			stops = _mm_or_si128(stops, scan_copy_sixteen(to + i, p + i));
		return _mm_movemask_epi8(stops) == 0;
	}
#endif
	return n >= 4 && n < 16 && scan_copy_short(to, p, n);
}

/*
 * Copies the run of bytes that stand for themselves in a string, DEL not among them; returns its
 * length. to has room for 16 bytes more than are left.
 */
static inline size_t
scan_copy(char *to, const char *p, const char *end)
{
	const char *start = p;
	bool is_clean = true;

#ifdef __SSE2__
	for (; end - p >= 16; p += 16, to += 16) {
		unsigned mask = (unsigned)_mm_movemask_epi8(scan_copy_sixteen(to, p));

		if (mask != 0)
			return (size_t)(p - start) + (size_t)__builtin_ctz(mask);
	}
#endif
	while (end - p >= 4 && is_clean) {
		size_t n = end - p < 16 ? (size_t)(end - p) : 8;

		is_clean = scan_copy_short(to, p, n);
		p += is_clean ? n : 0;
		to += is_clean ? n : 0;
	}
	while (p < end && !scan_stops_at((unsigned char)*p, true) && *p != 0x7f)
		*to++ = *p++;
	return (size_t)(p - start);
}

#ifdef __SSE2__
/* Copies n bytes, up to 64, reading and writing whole pairs of sixteen. */
static inline void
scan_copy_run(char *to, const char *p, size_t n)
{
	size_t i = 0;

	do {
		const __m128i *from = (const __m128i *)(const void *)(p + i);

		_mm_storeu_si128((__m128i *)(void *)(to + i), _mm_loadu_si128(from));
		_mm_storeu_si128((__m128i *)(void *)(to + i + 16), _mm_loadu_si128(from + 1));
		i += 32;
	} while (i < n);
}
#endif

#define SCAN_QUOTE_BYTES 96  /* that must be there to be read */
#define SCAN_QUOTE_ROOM  160 /* that must be there to be written */

/*
 * Copies 64 bytes of a string with a backslash before each quote and backslash, or fewer: then
 * what follows is for the caller to escape. Returns how many it took. The runs between are copied
 * without looking at them again, so that none waits for where the one before it ended.
 */
static inline size_t
scan_quote_copy(char **to, const char *p)
{
#ifdef __SSE2__
	const __m128i *at = (const __m128i *)(const void *)p;
	__m128i v[4] = { _mm_loadu_si128(at), _mm_loadu_si128(at + 1), _mm_loadu_si128(at + 2),
		_mm_loadu_si128(at + 3) };
	uint64_t escaped = scan_mask(
	    scan_escapable(v[0]), scan_escapable(v[1]), scan_escapable(v[2]), scan_escapable(v[3]));
	uint64_t odd = scan_mask(scan_odd(v[0]), scan_odd(v[1]), scan_odd(v[2]), scan_odd(v[3]));
	size_t n = odd != 0 ? (size_t)__builtin_ctzll(odd) : 64, done = 0;
	char *out = *to;

	if (n < 64)
		escaped &= (UINT64_C(1) << n) - 1;
	for (; escaped != 0; escaped &= escaped - 1) {
		size_t next = (size_t)__builtin_ctzll(escaped);

		scan_copy_run(out, p + done, next - done);
		out += next - done;
		*out++ = '\\';
		done = next;
	}
	scan_copy_run(out, p + done, n - done);
	*to = out + (n - done);
	return n;
#else
	size_t n = scan_copy(*to, p, p + 64);

	*to += n;
	return n;
#endif
}

/* The next byte that is a quote, a backslash, a control character or not ASCII. */
static inline const char *
scan_plain(const char *p, const char *end)
{
	return scan_string(p, end, true);
}

/* The next byte that is not printable ASCII. */
static inline const char *
scan_printable(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		unsigned mask = (unsigned)_mm_movemask_epi8(scan_odd(v));

		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && (signed char)*p >= ' ' && *p != 0x7f)
		p++;
	return p;
}

static inline bool
scan_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *
scan_space(const char *p, const char *end)
{
	/* Between members Microsoft has none. */
	if (p != end && *p > ' ')
		return p;
	while (p < end && scan_is_space(*p))
		p++;
	return p;
}

#ifdef __SSE2__
/*
 * Of backslashes, none of them escaped from before: a bit for each byte that one escapes. In a
 * run of them every second one does; a carry runs through each that begins at an odd place, so
 * that it ends at one of the other kind.
 */
static inline uint64_t
scan_escaped(uint64_t backslash)
{
	const uint64_t even = UINT64_C(0x5555555555555555);
	uint64_t follows = backslash << 1;
	uint64_t odd_starts = backslash & ~even & ~follows;

	return (even ^ (odd_starts + backslash) << 1) & follows;
}

/* Takes brackets to depth; false, and it stays, where the outermost container ends among them. */
static inline bool
scan_brackets(uint64_t opening, uint64_t closing, size_t *depth)
{
	size_t n = *depth, closes = (size_t)__builtin_popcountll(closing);

	if (closes < n) {
		*depth = n + (size_t)__builtin_popcountll(opening) - closes;
		return true;
	}
	for (uint64_t left = opening | closing; left != 0; left &= left - 1) {
		n = (left & -left & opening) != 0 ? n + 1 : n - 1;
		if (n == 0)
			return false;
	}
	*depth = n;
	return true;
}
#endif

/*
 * Passes over 64 bytes of the inside of containers at once. False, and nothing is passed, where
 * that is not so simple: a backslash is outside of strings or the last of them, or the outermost
 * container ends in them.
 */
static inline bool
scan_inside(const char *p, size_t *depth, bool *in_string)
{
#ifdef __SSE2__
	const __m128i *at = (const __m128i *)(const void *)p, fold = _mm_set1_epi8(0x20);
	__m128i v[4] = { _mm_loadu_si128(at), _mm_loadu_si128(at + 1), _mm_loadu_si128(at + 2),
		_mm_loadu_si128(at + 3) };
	uint64_t quoted = scan_bits(v, '"'), backslash = scan_bits(v, '\\'), opening, closing;

	if (backslash != 0)
		quoted &= ~scan_escaped(backslash);
	/* Whether a byte is in a string: its opening quote is, its closing one is not. */
	quoted = scan_parity(quoted) ^ (*in_string ? UINT64_MAX : 0);
	if ((backslash & ~quoted) != 0 || backslash >> 63 != 0)
		return false;
	/* With 0x20 set both opening brackets are {, and both closing ones }. */
	v[0] = _mm_or_si128(v[0], fold);
	v[1] = _mm_or_si128(v[1], fold);
	v[2] = _mm_or_si128(v[2], fold);
	v[3] = _mm_or_si128(v[3], fold);
	opening = scan_bits(v, '{') & ~quoted;
	closing = scan_bits(v, '}') & ~quoted;
	if ((opening | closing) != 0 && !scan_brackets(opening, closing, depth))
		return false;
	*in_string = quoted >> 63;
	return true;
#else
	(void)p;
	(void)depth;
	(void)in_string;
	return false;
#endif
}

/* Whether n bytes are the same: memcmp() is a call, and names are short. */
static inline bool
scan_same(const char *a, const char *b, size_t n)
{
	uint64_t x, y;

	if (n < sizeof(x)) {
		while (n > 0 && a[n - 1] == b[n - 1])
			n--;
		return n == 0;
	}
	for (; n > sizeof(x); n -= sizeof(x), a += sizeof(x), b += sizeof(x)) {
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		if (x != y)
			return false;
	}
	a += n;
	b += n;
	memcpy(&x, a - sizeof(x), sizeof(x));
	memcpy(&y, b - sizeof(y), sizeof(y));
	return x == y;
}

#endif
