/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/path.h"

static char
slash_of(struct str path)
{
	return path.n != 0 && path.s[0] == '/' ? '/' : '\\';
}

void
path_join(struct buf *out, struct str folder, struct str name)
{
	char slash = slash_of(folder);
	bool has_name = folder.n > name.n && name.n != 0 &&
	                folder.s[folder.n - name.n - 1] == slash &&
	                memcmp(folder.s + folder.n - name.n, name.s, name.n) == 0;

	buf_str(out, folder);
	if (has_name)
		return;
	if (folder.n != 0 && name.n != 0 && folder.s[folder.n - 1] != slash)
		buf_byte(out, slash);
	buf_str(out, name);
}

struct str
path_base(struct str path)
{
	const char *slash = path.n != 0 ? memrchr(path.s, slash_of(path), path.n) : NULL;
	size_t skip;

	if (slash == NULL)
		return path;
	skip = (size_t)(slash - path.s) + 1;
	return (struct str){ path.s + skip, path.n - skip };
}
