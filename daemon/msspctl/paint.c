/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/msspctl/paint.h"

bool
has_colours(FILE *out)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(out)) && (no == NULL || no[0] == '\0');
}

enum colour { GOOD, ODD, BAD };

static void
paint(FILE *out, enum colour colour, const char *text, int width)
{
	static const char *const codes[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	bool has = has_colours(out);

	fprintf(out, "%s%-*s%s", has ? codes[colour] : "", width, text, has ? "\033[0m" : "");
}

void
paint_state(FILE *out, const char *state, int width)
{
	bool is_odd = strcmp(state, "starting") == 0 || strcmp(state, "behind") == 0;

	paint(out, strcmp(state, "healthy") == 0 ? GOOD : is_odd ? ODD : BAD, state, width);
}

void
paint_link(FILE *out, const char *link, int width)
{
	paint(out, strcmp(link, "up") == 0 ? GOOD : BAD, link, width);
}
