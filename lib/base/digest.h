/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIGEST_H
#define DIGEST_H

#include "lib/base/str.h"

/* digest: SHA-256 of some bytes, as 64 lower-case hexadecimal digits and a NUL. */
void digest_sha256(struct str bytes, char hex[65]);

#endif
