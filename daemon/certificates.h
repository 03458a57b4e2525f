/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include <stdbool.h>

#include "lib/base/err.h"

/*
 * certificates: can a file that an option names be one of certificates (PEM)?
 *
 * It knows nothing of whom they are and of what they are for. Whoever uses the file
 * reads it by himself; this is for `msspd -n`, so that a path to something else is
 * told before the first connection fails by it.
 *
 * Blocks for the reading of the file up to its first certificate.
 */

/* False, ERR_CONF: it cannot be read, or there is none in it. */
bool certificates_check(const char *path, struct err *err) MUST_CHECK;

#endif
