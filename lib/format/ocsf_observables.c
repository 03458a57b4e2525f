#include "lib/format/ocsf_parts.h"

#define OBSERVABLES_MAX 1024
#define PATH_MAX_BYTES  200

static const char *const captions[] = {
	[OBSERVABLE_HOSTNAME] = "Hostname",
	[OBSERVABLE_IP] = "IP Address",
	[OBSERVABLE_USER_NAME] = "User Name",
	[OBSERVABLE_EMAIL] = "Email Address",
	[OBSERVABLE_URL] = "URL String",
	[OBSERVABLE_FILE_NAME] = "File Name",
	[OBSERVABLE_HASH] = "Hash",
	[OBSERVABLE_PROCESS_NAME] = "Process Name",
	[OBSERVABLE_RESOURCE_UID] = "Resource UID",
	[OBSERVABLE_COMMAND_LINE] = "Command Line",
	[OBSERVABLE_USER_UID] = "User Object: uid",
	[OBSERVABLE_SUBJECT] = "Email Object: subject",
	[OBSERVABLE_EMAIL_UID] = "Email Object: uid",
	[OBSERVABLE_MESSAGE_UID] = "Message UID",
	[OBSERVABLE_REGISTRY_VALUE_NAME] = "Registry Value Object: name",
	[OBSERVABLE_FILE_PATH] = "File Path",
	[OBSERVABLE_REGISTRY_KEY_PATH] = "Registry Key Path",
	[OBSERVABLE_DEVICE_UID] = "Device Object: uid",
};

void
ocsf_note(struct shape *s, unsigned mark, const char *name, struct str value)
{
	struct ocsf *o = ocsf_of(s);
	struct jw *w = &o->observables_w;
	char room[PATH_MAX_BYTES];
	struct buf path = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	if (!o->level->has_observables || o->nobservables == OBSERVABLES_MAX)
		return;
	shape_path(s, name, &path);
	jw_object(w);
	jw_plain_name(w, "name");
	jw_str(w, buf_peek(&path));
	jw_plain_name(w, "type_id");
	jw_int(w, mark);
	jw_plain_name(w, "type");
	jw_text(w, captions[mark]);
	jw_plain_name(w, "value");
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
