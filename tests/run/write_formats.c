/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/json/split.h"

/*
 * write_formats: pages of alerts or incidents in, each of them in every format out, by the way that
 * they take through msspd: cut into slices, read into records, written by the formats.
 *
 * stdin: for each page its length in bytes, a line end, the page. stdout: for each slice a line
 * of each format in the order of formats[]; "!" where a format could not write it. Arguments:
 * max_bytes; "incidents", where they are.
 */
#define PAGE_MAX   (64u << 20)
#define SLICES_MAX 100000
#define NOW        INT64_C(17953000000000000) /* ticks: in November 2026 */

static struct origin origin = {
	.refs = 1,
	.tenant_id = (char *)(uintptr_t)"11111111-2222-3333-4444-555555555555",
	.tenant = (char *)(uintptr_t)"contoso-eu",
	.customer = (char *)(uintptr_t)"contoso",
	.customer_name = (char *)(uintptr_t)"Contoso Ltd",
	.cloud = (char *)(uintptr_t)"global",
	.portal_host = (char *)(uintptr_t)"security.microsoft.com",
	.stream = (char *)(uintptr_t)"alerts",
	.instance = (char *)(uintptr_t)"soc1",
	.time_zone = (char *)(uintptr_t)"",
};

typedef struct record *slice_reader(struct str slice, bool copy_raw, int64_t now);

static void
write_slice(struct str slice, slice_reader *read, size_t max_bytes)
{
	struct record *r = read(slice, true, NOW);
	const struct event ev = { .record = r, .origin = &origin, .journalled = NOW,
		.kind = r->type == RECORD_UNREADABLE ? KIND_UNREADABLE : KIND_NEW };
	const struct format_opts opts = { .max_bytes = max_bytes };

	for (size_t i = 0; formats[i] != NULL; i++) {
		struct buf line = BUF_INIT(max_bytes);

		if (formats[i]->write(&line, &ev, &opts))
			fwrite(line.p, 1, line.n, stdout);
		else
			putchar('!');
		putchar('\n');
		buf_release(&line);
	}
	record_unref(r);
}

static void
write_page(const char *text, size_t n, slice_reader *read, size_t max_bytes)
{
	struct split_page page;
	struct split s;
	struct err err;

	split_init(&s, PAGE_MAX, SLICES_MAX);
	if (!split_feed(&s, text, n) || !split_finish(&s, &page, &err))
		BUG("the page cannot be split");
	for (size_t i = 0; i < page.n; i++)
		write_slice(split_slice(&page, i), read, max_bytes);
	split_page_release(&page);
}

int
main(int argc, char **argv)
{
	size_t max_bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1 << 20, n;
	slice_reader *read = argc > 2 ? record_from_incident : record_from_alert;
	char line[32], *text;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		n = strtoul(line, NULL, 10);
		BUG_IF(n > PAGE_MAX);
		text = xmalloc(n + 1);
		if (fread(text, 1, n, stdin) != n)
			BUG("the page ends early");
		write_page(text, n, read, max_bytes);
		free(text);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}
