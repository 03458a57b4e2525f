/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_H
#define SECRET_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/*
 * secret: what is in a secret's file, for as short as possible.
 *
 * A bare name lies in $CREDENTIALS_DIRECTORY (systemd), anything with a slash is
 * an absolute path. A file that others or a foreign group can read is refused; a
 * trailing line end is not part of the secret. Errors are ERR_CONF, but ERR_TEMP where
 * this machine lacks something (a file descriptor). Blocks for a small read.
 */
#define SECRET_MAX (64 * 1024)

/* The path a name stands for, from malloc. NULL and ERR_CONF: a bare name without
 * $CREDENTIALS_DIRECTORY, a relative path. */
char *secret_path(const char *name, struct err *err);
/*
 * For a person who asks as root, and so is given no $CREDENTIALS_DIRECTORY: what the unit has, or,
 * while it does not run, what it would be given: the files beside the configuration.
 */
void secret_find_credentials(const char *config);
/* Whether secret_read() would read it: it is there, closed to others, and not empty. */
bool secret_check(const char *name, struct err *err) MUST_CHECK;
/* Secrets must not end up in a core, also not in one that a pipe takes, which knows no limit;
 * nor may another process of our user look into this one. */
void secret_forbid_cores(void);
/* Into b (cleared first); the caller wipes it (buf_wipe). Errors never hold any of the content. */
bool secret_read(const char *name, struct buf *b, struct err *err) MUST_CHECK;
/* The same of a file that may be open to others: a certificate, or a token whose
 * permissions are set by the orchestrator that writes it. */
bool secret_read_open(const char *name, struct buf *b, struct err *err) MUST_CHECK;

#endif
