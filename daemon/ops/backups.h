#ifndef BACKUPS_H
#define BACKUPS_H

#include <jansson.h>

#include "lib/base/err.h"

/*
 * backups: the verbs about copies of the journal, for the control socket; one at a time.
 * The results are in docs/CONTROL.md. NULL on failure, with the reason in err.
 */
struct backups;

/* state_dir is kept. */
struct backups *backups_new(const char *state_dir);
void backups_free(struct backups *bs); /* ends what is not done */

json_t *backups_start(struct backups *bs, const json_t *request, struct err *err);
json_t *backups_show(struct backups *bs, struct err *err);

#endif
