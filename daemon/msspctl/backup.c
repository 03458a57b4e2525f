/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/backup.h"
#include "daemon/msspctl/call.h"
#include "daemon/msspctl/fields.h"

#define LOOK_US   200000

/* Shows how far it is, where a person looks. */
static void
show_progress(const json_t *b)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %" PRId64 " %%", get_text(b, "file"), get_int(b, "percent"));
}

static int
say_end(const json_t *b)
{
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (strcmp(get_text(b, "state"), "done") == 0) {
		printf("%s\n", get_text(b, "file"));
		return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
	}
	fprintf(stderr, "msspctl: the backup failed: %s\n", get_text(b, "error"));
	return EX_IOERR;
}

int
do_backup(const struct args *a)
{
	int status = EX_OK;
	json_t *b;

	if (a->nnames != 1) {
		fputs("msspctl: backup wants one file\n", stderr);
		return EX_USAGE;
	}
	b = call(a->socket, json_pack("{s:s, s:s}", "verb", "backup", "file", a->names[0]),
	    &status);
	while (b != NULL && strcmp(get_text(b, "state"), "running") == 0) {
		show_progress(b);
		json_decref(b);
		usleep(LOOK_US);
		b = call(a->socket, json_pack("{s:s}", "verb", "backup-state"), &status);
	}
	if (b == NULL)
		return status;
	status = say_end(b);
	json_decref(b);
	return status;
}
