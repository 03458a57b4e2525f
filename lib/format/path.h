/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATH_H
#define PATH_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * path: folders and file names of Windows and of Unix, in text. It knows nothing of
 * any file system.
 */

/* "folder\name" or "folder/name": Graph gives the folder, some sources the whole path. */
void path_join(struct buf *out, struct str folder, struct str name);

/* What stands behind the last separator; the whole text where there is none. */
struct str path_base(struct str path);

#endif
