/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/format/zone.h"
#include "lib/format/zone_rule.h"

/*
 * TZif files (RFC 8536), version 2 and later. The C library has no call for one
 * zone among several that another thread could not disturb.
 */
#define FILE_MAX   (256 * 1024)
#define HEADER_LEN 44
#define ZONE_DIR   "/usr/share/zoneinfo"

struct zone {
	size_t n;
	int64_t *at; /* ascending: when offset[i] begins */
	int *offset;
	int first;     /* before at[0] */
	bool has_rule; /* for all that is not before at[n - 1] */
	struct zone_rule rule;
};

struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t
be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Length of the block behind the header at p, times having `width` bytes; 0: not within n. */
static size_t
read_header(const unsigned char *p, size_t n, size_t width, struct counts *c)
{
	size_t *const fields[] = { &c->isut, &c->isstd, &c->leap, &c->time, &c->type, &c->chars };
	size_t len;

	if (n < HEADER_LEN || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return 0;
	for (size_t i = 0; i < 6; i++) {
		*fields[i] = be32(p + 20 + 4 * i);
		if (*fields[i] > FILE_MAX)
			return 0;
	}
	len = c->time * (width + 1) + c->type * 6 + c->chars + c->leap * (width + 4) + c->isstd +
	      c->isut;
	return len > 0 && len <= n - HEADER_LEN ? len : 0;
}

/* The second block, which has 64-bit times. p is behind its header. */
static bool
read_block(struct zone *z, const unsigned char *p, const struct counts *c)
{
	const unsigned char *index = p + c->time * 8, *types = index + c->time;

	if (c->type == 0)
		return false;
	z->n = c->time;
	z->at = xcalloc(z->n, sizeof(*z->at));
	z->offset = xcalloc(z->n, sizeof(*z->offset));
	z->first = (int)(int32_t)be32(types);
	for (size_t i = 0; i < z->n; i++) {
		if (index[i] >= c->type)
			return false;
		z->at[i] = be64(p + 8 * i);
		z->offset[i] = (int)(int32_t)be32(types + 6 * (size_t)index[i]);
		if (i > 0 && z->at[i] <= z->at[i - 1])
			return false;
	}
	return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; may be empty between the line ends. */
static bool
read_footer(struct zone *z, const unsigned char *p, size_t n)
{
	struct str text = { (const char *)p + 1, 0 };
	const char *end;

	if (n < 2 || p[0] != '\n')
		return false;
	end = memchr(text.s, '\n', n - 1);
	if (end == NULL)
		return false;
	text.n = (size_t)(end - text.s);
	if (text.n == 0)
		return true;
	z->has_rule = zone_rule_parse(text, &z->rule);
	return z->has_rule;
}

static bool
read_tzif(struct zone *z, const unsigned char *p, size_t n)
{
	struct counts c;
	size_t len = read_header(p, n, 4, &c);

	if (len == 0)
		return false;
	p += HEADER_LEN + len;
	n -= HEADER_LEN + len;
	len = read_header(p, n, 8, &c);
	return len != 0 && read_block(z, p + HEADER_LEN, &c) &&
	       read_footer(z, p + HEADER_LEN + len, n - HEADER_LEN - len);
}

/* Parts of letters, digits, + - _ between single slashes; so no "..", and nothing absolute. */
static bool
is_zone_name(const char *name)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_/";
	size_t n = strlen(name);

	return n > 0 && n <= 100 && strspn(name, allowed) == n && name[0] != '/' &&
	       name[n - 1] != '/' && strstr(name, "//") == NULL;
}

static bool
read_file(struct zone *z, const char *path, struct err *err)
{
	FILE *f = fopen(path, "rbe");
	unsigned char *data;
	size_t n;
	bool ok;

	if (f == NULL)
		return err_sys(err, ERR_CONF, errno, "%s", path);
	data = xmalloc(FILE_MAX);
	n = fread(data, 1, FILE_MAX, f);
	fclose(f);
	ok = read_tzif(z, data, n);
	free(data);
	return ok || err_set(err, ERR_CONF, "%s is not a time zone file", path);
}

struct zone *
zone_open(const char *name, struct err *err)
{
	const char *dir = getenv("TZDIR");
	struct zone *z;
	char *path;
	bool ok;

	if (!is_zone_name(name)) {
		err_set(err, ERR_CONF, "%s is not the name of a time zone, such as Europe/Berlin",
		    name);
		return NULL;
	}
	dir = dir != NULL && *dir != '\0' ? dir : ZONE_DIR;
	z = xcalloc(1, sizeof(*z));
	path = xasprintf("%s/%s", dir, name);
	ok = read_file(z, path, err);
	if (!ok && access(path, F_OK) != 0)
		err_set(err, ERR_CONF, "time zone %s is not among those of %s; write one as "
		    "Europe/Berlin", name, dir);
	else if (!ok)
		err_wrap(err, "time zone %s", name);
	free(path);
	if (ok)
		return z;
	zone_close(z);
	return NULL;
}

void
zone_close(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}

int
zone_offset(const struct zone *z, int64_t sec)
{
	size_t low = 0, high = z->n; /* at[low - 1] <= sec < at[high] */

	if (z->has_rule && (z->n == 0 || sec >= z->at[z->n - 1]))
		return zone_rule_offset(&z->rule, sec);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->at[mid] <= sec)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? z->first : z->offset[low - 1];
}
