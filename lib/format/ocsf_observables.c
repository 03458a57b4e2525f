/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"

#define OBSERVABLES_MAX 1024

/* What stands between the name and the value of each; written out, for there are a score in every
 * alert. */
#define MIDDLE(id, caption) STR_INIT("\",\"type_id\":" #id ",\"type\":\"" caption "\",\"value\":")
static const struct str middles[] = {
	[OBSERVABLE_HOSTNAME] = MIDDLE(1, "Hostname"),
	[OBSERVABLE_IP] = MIDDLE(2, "IP Address"),
	[OBSERVABLE_USER_NAME] = MIDDLE(4, "User Name"),
	[OBSERVABLE_EMAIL] = MIDDLE(5, "Email Address"),
	[OBSERVABLE_URL] = MIDDLE(6, "URL String"),
	[OBSERVABLE_FILE_NAME] = MIDDLE(7, "File Name"),
	[OBSERVABLE_HASH] = MIDDLE(8, "Hash"),
	[OBSERVABLE_PROCESS_NAME] = MIDDLE(9, "Process Name"),
	[OBSERVABLE_RESOURCE_UID] = MIDDLE(10, "Resource UID"),
	[OBSERVABLE_COMMAND_LINE] = MIDDLE(13, "Command Line"),
	[OBSERVABLE_USER_UID] = MIDDLE(31, "User Object: uid"),
	[OBSERVABLE_SUBJECT] = MIDDLE(40, "Email Object: subject"),
	[OBSERVABLE_EMAIL_UID] = MIDDLE(41, "Email Object: uid"),
	[OBSERVABLE_MESSAGE_UID] = MIDDLE(42, "Message UID"),
	[OBSERVABLE_REGISTRY_VALUE_NAME] = MIDDLE(43, "Registry Value Object: name"),
	[OBSERVABLE_FILE_PATH] = MIDDLE(45, "File Path"),
	[OBSERVABLE_REGISTRY_KEY_PATH] = MIDDLE(46, "Registry Key Path"),
	[OBSERVABLE_DEVICE_UID] = MIDDLE(47, "Device Object: uid"),
};

void
ocsf_note(struct shape *s, unsigned mark, struct str name, struct str value)
{
	struct ocsf *o = ocsf_of(s);
	struct jw *w = &o->observables_w;

	if (!o->level->has_observables || o->nobservables == OBSERVABLES_MAX)
		return;
	jw_raw(w, STR("{\"name\":\""));
	shape_path(s, name, w->out);
	buf_str(w->out, middles[mark]);
	w->comma = false;
	jw_str(w, value);
	jw_object_end(w);
	o->nobservables++;
}

void
ocsf_observables(struct ocsf *o)
{
	if (o->nobservables == 0)
		return;
	jw_plain_name(&o->shape.w, "observables");
	jw_array(&o->shape.w);
	jw_raw(&o->shape.w, buf_peek(&o->observables));
	jw_array_end(&o->shape.w);
	if (!buf_ok(&o->observables))
		o->shape.w.out->failed = true;
}
