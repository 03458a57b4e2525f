/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/json/split.h"

/*
 * write_formats: pages of alerts in, each alert in every format out, by the way that they take
 * through msspd: cut into slices, read into records, written by the formats.
 *
 * stdin: for each page its length in bytes, a line end, the page. stdout: for each slice a line
 * of each format in the order of formats[]; "!" where a format could not write it. One argument:
 * max_bytes.
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

static void
write_slice(struct str slice, size_t max_bytes)
{
	struct record *r = record_from_alert(slice, true, NOW);
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
write_page(const char *text, size_t n, size_t max_bytes)
{
	struct split_page page;
	struct split s;
	struct err err;

	split_init(&s, PAGE_MAX, SLICES_MAX);
	if (!split_feed(&s, text, n) || !split_finish(&s, &page, &err))
		BUG("the page cannot be split");
	for (size_t i = 0; i < page.n; i++)
		write_slice(split_slice(&page, i), max_bytes);
	split_page_release(&page);
}

int
main(int argc, char **argv)
{
	size_t max_bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1 << 20, n;
	char line[32], *text;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		n = strtoul(line, NULL, 10);
		BUG_IF(n > PAGE_MAX);
		text = xmalloc(n + 1);
		if (fread(text, 1, n, stdin) != n)
			BUG("the page ends early");
		write_page(text, n, max_bytes);
		free(text);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}
