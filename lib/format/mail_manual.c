/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_parts.h"

static const char intro[] =
    "\n## E-mail\n"
    "\n"
    "A mail is one event, or a digest of several; text and HTML say the same. What comes from\n"
    "Microsoft is shown, never obeyed: what a reader of mail would make a link of is defanged\n"
    "(`hxxps://evil[.]example`: URLs, names of hosts and shares, addresses of mail, and those of\n"
    "the net where a port or a path follows). Names of users and devices, and paths and names of\n"
    "files stay as they are. Controls, and characters that turn or hide text, are shown as\n"
    "`[U+202E]`; what is too long ends with `… [cut: 123 more bytes]`. The only link is the one\n"
    "into the customer's own portal.\n"
    "\n"
    "A digest has a row for each of its %d worst events, counts all of them by severity, and, "
    "where\n"
    "that is not all, by title. Nothing is left out of the counts.\n"
    "\n"
    "Device information that is off leaves devices out of facts and evidence; Microsoft's own text "
    "is\n"
    "shown as it is, and may name one.\n"
    "\n"
    "Pictures: [an alert](pictures/mail-alert.png), [in the dark](pictures/mail-alert-dark.png)\n"
    "and [on a phone](pictures/mail-alert-phone.png),\n"
    "[an incident that changed](pictures/mail-incident.png), [a "
    "digest](pictures/mail-digest.png),\n"
    "[health](pictures/mail-health.png), [an unreadable alert](pictures/mail-unreadable.png), [a\n"
    "test](pictures/mail-canary.png). A page has at most 100 KB, since Gmail hides what is beyond\n"
    "102: one that would be larger has less of each text.\n"
    "\n"
    "| header | what is there |\n|---|---|\n";

static const struct {
	const char *name, *what;
} headers[] = {
	{ "Message-ID", "made of the event's id and the recipient: the same whenever it is sent "
			"again, so that servers drop repeats" },
	{ "In-Reply-To, References",
	    "one root for all mails of a tenant's incident, to whomever they "
	    "go, so that they are one thread; of an alert without incident, "
	    "one for the alert. The root itself is never sent. Gmail also wants equal subjects: "
	    "`subject: \"{customer_name}: incident {incident_id}\"` has them" },
	{ "Thread-Index", "the same for Outlook and Exchange" },
	{ "Auto-Submitted", "`auto-generated` (RFC 3834); X-Auto-Response-Suppress likewise" },
	{ "List-Id", "`list_id`, else `msspd.` and the domain of `from`" },
	{ "Importance", "`high`, for severity high and health alarms" },
	{ "X-Msspd-Type", "alert, incident, health, canary, unreadable, digest" },
	{ "X-Msspd-Kind",
	    "new, escalated, updated, resolved, reopened, health, canary, unreadable, "
	    "digest" },
	{ "X-Msspd-Severity", "the severity, as {severity}; of a digest the worst" },
	{ "X-Msspd-Customer, X-Msspd-Tenant",
	    "names in the configuration; not there where the organization name is off, or a digest "
	    "has several" },
	{ "X-Msspd-Tenant-Id, X-Msspd-Stream, X-Msspd-Status, X-Msspd-Incident-Id",
	    "as the variables below" },
	{ "X-Msspd-Event-Id", "the event's id; of a digest X-Msspd-Count says how many there are" },
	{ "X-Msspd-Rule, X-Msspd-Instance", "the rule that sent it, and this msspd's name" },
};

static const char templates[] =
    "\nTemplates of your own are text with `{variables}`. `{?device}…{/device}` is there only "
    "where\n"
    "the variable has a value; `{{` is a brace, and a brace that begins no name (as in CSS) is "
    "itself.\n"
    "Values are escaped as the part needs it: in HTML they are safe as text and within quoted\n"
    "attributes, not within scripts or style sheets. `msspd -n` says what is wrong with a "
    "template,\n"
    "and where.\n"
    "\n"
    "| variable | mail | digest | what is there |\n|---|---|---|---|\n";

void
mail_manual(struct buf *out)
{
	buf_printf(out, intro, MAIL_DIGEST_ROWS);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		buf_printf(out, "| %s | %s |\n", headers[i].name, headers[i].what);
	buf_puts(out, templates);
	for (size_t i = 0; i < MV_VALUES; i++) {
		const struct mail_value_row *r = &mail_values[i];

		buf_printf(out, "| `{%s}` | %s | %s | %s |\n", r->name,
		    r->where & MV_ONE ? "x" : "", r->where & MV_MANY ? "x" : "", r->from);
	}
	buf_puts(out, "| `{label.KEY}` | x | x | a label of the customer |\n");
}
