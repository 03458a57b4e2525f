/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/wiping.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *
wiping_malloc(size_t size)
{
	return malloc(size != 0 ? size : 1);
}

void *
wiping_calloc(size_t n, size_t size)
{
	return calloc(n != 0 ? n : 1, size != 0 ? size : 1);
}

void
wiping_free(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *
wiping_realloc(void *p, size_t size)
{
	size_t room = p != NULL ? malloc_usable_size(p) : 0;
	void *more;

	if (p != NULL && size <= room && size >= room / 2)
		return p;
	more = wiping_malloc(size);
	if (more == NULL)
		return NULL;
	if (p != NULL)
		memcpy(more, p, size < room ? size : room);
	wiping_free(p);
	return more;
}

char *
wiping_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = wiping_malloc(n);

	return copy != NULL ? memcpy(copy, s, n) : NULL;
}

/* OpenSSL says who asks, too. */
static void *
malloc_for_openssl(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size != 0 ? wiping_malloc(size) : NULL;
}

static void
free_for_openssl(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

static void *
realloc_for_openssl(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size != 0)
		return wiping_realloc(p, size);
	wiping_free(p);
	return NULL;
}

void
wiping_begin(void)
{
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	(void)CRYPTO_set_mem_functions(malloc_for_openssl, realloc_for_openssl, free_for_openssl);
}
