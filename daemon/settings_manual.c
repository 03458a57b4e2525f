/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/delivery/sink.h"
#include "daemon/delivery/sink_smtp_rules.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"

/* One section of the file, in the order of the manual. */
static const struct section {
	const char *title, *prefix, *about;
	const struct conf_opt *table;
} sections[] = {
	{ "Top level", "", "What holds for msspd as a whole.", root_opts },
	{ "apps.NAME", "apps.NAME.", "An app registration in Microsoft Entra. It needs the "
	  "application permission SecurityAlert.Read.All of Microsoft Graph and, in each "
	  "customer's tenant, an administrator's consent. An app registration serves the tenants "
	  "of one cloud.",
	  app_opts },
	{ "customers.NAME", "customers.NAME.", "A customer: one or several tenants that belong "
	  "together. Without one a tenant is its own customer, by its own name.", customer_opts },
	{ "tenants.NAME", "tenants.NAME.", "A tenant whose alerts are read. The name is yours to "
	  "choose and to change: what msspd remembers goes by cloud and tenant ID.", tenant_opts },
	{ "sinks.NAME", "sinks.NAME.", "A place that alerts are sent to. These options every kind "
	  "of sink has; those of its kind stand beside them.", sink_opts },
	{ "sinks.NAME.match", "sinks.NAME.match.", "Which alerts a sink takes. Within a key any "
	  "value does, between keys all must agree, labels must all be there. Values compare "
	  "without upper and lower case. A value that msspd does not know (a severity of next "
	  "year) passes every filter.", match_opts },
	{ "sinks.NAME.rules[]", "sinks.NAME.rules[].", "Who gets a mail about what, at a sink of "
	  "`type: smtp`.", smtp_rule_options },
};

static const char intro[] =
    "# Configuration\n"
    "\n"
    "This page is made from the tables in the source that also read and check the file\n"
    "(`msspd -L` prints the same list). `msspd -n` checks a configuration and starts nothing.\n"
    "[conf/msspd.yaml](../conf/msspd.yaml) is an example to begin with.\n"
    "\n"
    "msspd reads `/etc/msspd/msspd.yaml` (or the file given by `-c`), and every `*.yaml` file of\n"
    "the directory `conf.d` beside it, in alphabetical order. Each may hold any section: one file\n"
    "a customer is the normal way. Sections of the same name are joined; a name or an option\n"
    "given twice is an error that shows both places. Everything that is wrong is reported at\n"
    "once, as `file:line:column: path: what is wrong; what would be right`.\n"
    "\n"
    "- Files are YAML 1.2 (and so JSON is fine), one mapping each, UTF-8, without anchors (`&`),\n"
    "  aliases (`*`) and tags (`!`).\n"
    "- Names of apps, customers, tenants and sinks: letters, digits, `-`, `_` and `.`, at most\n"
    "  64.\n"
    "- Durations: `250ms`, `10s`, `5m`, `1h`, `7d`, `1h30m`. Sizes: `64KiB`, `8MiB`, `2GiB`,\n"
    "  `1TiB`, or bytes as a bare number. Booleans: `true`, `false`.\n"
    "- A single text stands for a list of one.\n"
    "- Secrets are never in the file: it names the files that hold them.\n"
    "\n"
    "A tenant's sinks are its own `sinks`, else its customer's, else those of `defaults`. A\n"
    "tenant that reaches no sink is an error, unless it says `sinks: []`. A tenant is sent to at\n"
    "most 32 sinks.\n"
    "\n"
    "On SIGHUP the files are read again. When anything is wrong, the old configuration stays in\n"
    "force and the log says why.\n";

void
settings_print_manual(FILE *out)
{
	fputs(intro, out);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const struct section *s = &sections[i];

		fprintf(out, "\n## %s%s%s\n\n%s\n\n", s->prefix[0] != '\0' ? "`" : "", s->title,
		    s->prefix[0] != '\0' ? "`" : "", s->about);
		conf_print_manual(out, s->table);
	}
	for (size_t i = 0; sink_kinds[i] != NULL; i++) {
		fprintf(out, "\n## Sinks of `type: %s`\n\n%s\n\n", sink_kinds[i]->name,
		    sink_kinds[i]->help);
		conf_print_manual(out, sink_kinds[i]->opts);
	}
}

void
settings_print_options(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		conf_print_list(out, sections[i].prefix, sections[i].table);
	for (size_t i = 0; sink_kinds[i] != NULL; i++) {
		fprintf(out, "\nsinks of type: %s (%s)\n\n", sink_kinds[i]->name,
		    sink_kinds[i]->help);
		conf_print_list(out, "sinks.NAME.", sink_kinds[i]->opts);
	}
}
