/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/squeeze.h"

void
squeeze_part(size_t *limit, size_t used, size_t least, size_t *over)
{
	size_t give = used > least ? used - least : 0;

	if (give > *over)
		give = *over;
	if (give > 0)
		*limit = used - give;
	*over -= give;
}

void
squeeze_out(size_t *limit, size_t used, size_t around, size_t *over)
{
	size_t gain = around + (used < *limit ? used : *limit);

	if (*over == 0 || used == 0)
		return;
	*limit = 0;
	*over -= gain < *over ? gain : *over;
}
