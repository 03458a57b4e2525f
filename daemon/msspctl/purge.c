/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/purge.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/errand.h"
#include "daemon/msspctl/fields.h"

static const struct {
	const char *key, *what;
} kinds[] = {
	{ "entries", "entries, those that waited or were held too" },
	{ "dead_letters", "dead letters" },
	{ "quarantine", "pieces in quarantine" },
	{ "remembered", "alerts that were remembered" },
	{ "cursors", "cursors" },
	{ "gaps", "gaps on record" },
	{ "replays", "replays" },
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
show_progress(const json_t *so_far)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%" PRId64 " entries are gone", get_int(so_far, "entries"));
	if (get_int(so_far, "waiting") > 0)
		fprintf(stderr, ", %" PRId64 " are with sinks just now", get_int(so_far, "waiting"));
	fputs("   ", stderr);
}

static void
print_result(const char *name, const json_t *r)
{
	printf("%s is purged. Gone are\n", name);
	for (size_t i = 0; i < NKINDS; i++)
		printf("%10" PRId64 "  %s\n", get_int(r, kinds[i].key), kinds[i].what);
	if (!json_is_true(json_object_get(r, "scrubbed")))
		puts("Parts of it are left where rows were in the journal's file, or in its log: somebody\n"
		     "reads that all the time, a backup perhaps. Ask again when that is done.");
	puts("Backups and journals that were set aside as damaged still have what they had.");
}

int
do_tenant_purge(const struct args *a)
{
	int status = EX_OK;
	json_t *result;

	if (a->nnames != 1) {
		fputs("msspctl: tenant purge wants one tenant\n", stderr);
		return EX_USAGE;
	}
	result = errand_run(a, json_pack("{s:s, s:s, s:b}", "verb", "tenant-purge", "tenant",
	    a->names[0], "sure", a->is_sure),
	    &(struct errand){ ERRAND_JOURNAL, 0, show_progress }, &status);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (result == NULL)
		return status;
	if (a->is_json) {
		json_object_del(result, "ready");
		json_object_del(result, "waiting");
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_result(a->names[0], result);
	}
	json_decref(result);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
