/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/record/origin.h"

#define TEXT(member) \
	{ \
#member, offsetof(struct origin, member) \
	}

/* All the text of an origin but its labels and contacts, as the journal keeps it. */
static const struct {
	const char *name;
	size_t off;
} texts[] = {
	TEXT(tenant_id),
	TEXT(tenant),
	TEXT(customer),
	TEXT(customer_name),
	TEXT(cloud),
	TEXT(portal_host),
	TEXT(stream),
	TEXT(instance),
	TEXT(time_zone),
};

static char **
text_of(struct origin *o, size_t i)
{
	return (char **)(void *)((char *)o + texts[i].off);
}

static const char *
text_in(const struct origin *o, size_t i)
{
	const char *text = *(char *const *)(const void *)((const char *)o + texts[i].off);

	return text != NULL ? text : "";
}

static struct origin_label *
copy_pairs(const struct origin_label *from, size_t n)
{
	struct origin_label *to = xcalloc(n, sizeof(*to));

	for (size_t i = 0; i < n; i++)
		to[i] = (struct origin_label){ xstrdup(from[i].key), xstrdup(from[i].value) };
	return to;
}

static void
free_pairs(struct origin_label *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)(uintptr_t)v[i].key);
		free((char *)(uintptr_t)v[i].value);
	}
	free(v);
}

struct origin *
origin_new(const struct origin *from)
{
	struct origin *o = xcalloc(1, sizeof(*o));

	o->refs = 1;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*text_of(o, i) = xstrdup(text_in(from, i));
	o->nlabels = from->nlabels;
	o->labels = copy_pairs(from->labels, from->nlabels);
	o->ncontacts = from->ncontacts;
	o->contacts = copy_pairs(from->contacts, from->ncontacts);
	return o;
}

struct origin *
origin_own(const char *instance, const char *stream)
{
	char own[] = "msspd", cloud[] = "global", portal[] = "security.microsoft.com";

	return origin_new(&(struct origin){ .tenant_id = own,
	    .tenant = own,
	    .customer = own,
	    .customer_name = own,
	    .cloud = cloud,
	    .portal_host = portal,
	    .stream = (char *)(uintptr_t)stream,
	    .instance = (char *)(uintptr_t)instance });
}

struct origin *
origin_ref(const struct origin *o)
{
	/* The count is the one thing in an origin that changes. */
	struct origin *counted = (struct origin *)(uintptr_t)o;

	counted->refs++;
	return counted;
}

void
origin_unref(struct origin *o)
{
	if (o == NULL || --o->refs != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(*text_of(o, i));
	free_pairs(o->labels, o->nlabels);
	free_pairs(o->contacts, o->ncontacts);
	free(o);
}

char *
origin_about(const struct origin *o)
{
	json_t *root = json_object(), *labels = json_object(), *contacts = json_array();
	char *text;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(root, texts[i].name, json_string(text_in(o, i)));
	for (size_t i = 0; i < o->nlabels; i++)
		json_object_set_new(labels, o->labels[i].key, json_string(o->labels[i].value));
	json_object_set_new(root, "labels", labels);
	for (size_t i = 0; i < o->ncontacts; i++)
		json_array_append_new(
		    contacts, json_pack("[s, s]", o->contacts[i].key, o->contacts[i].value));
	json_object_set_new(root, "contacts", contacts);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	BUG_IF(text == NULL);
	return text;
}

/* A view of what root holds; labels and contacts have room for all of them. */
static void
view(struct origin *o, json_t *root, struct origin_label *labels, struct origin_label *contacts)
{
	json_t *value;
	const char *key;
	size_t at;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*text_of(o, i) =
		    (char *)(uintptr_t)json_string_value(json_object_get(root, texts[i].name));
	o->labels = labels;
	json_object_foreach(json_object_get(root, "labels"), key, value)
	{
		if (json_is_string(value))
			labels[o->nlabels++] =
			    (struct origin_label){ key, json_string_value(value) };
	}
	o->contacts = contacts;
	json_array_foreach(json_object_get(root, "contacts"), at, value)
	{
		const char *name = json_string_value(json_array_get(value, 0));
		const char *address = json_string_value(json_array_get(value, 1));

		if (name != NULL && address != NULL)
			contacts[o->ncontacts++] = (struct origin_label){ name, address };
	}
}

struct origin *
origin_from_about(const char *about, struct err *err)
{
	struct origin seen = { .refs = 0 }, *o = NULL;
	struct origin_label *labels = NULL, *contacts = NULL;
	json_error_t where;
	json_t *root = json_loads(about, 0, &where);

	if (root == NULL) {
		err_set(err, ERR_PERM, "what is kept about the stream is no JSON: %s", where.text);
		return NULL;
	}
	labels = xcalloc(json_object_size(json_object_get(root, "labels")), sizeof(*labels));
	contacts = xcalloc(json_array_size(json_object_get(root, "contacts")), sizeof(*contacts));
	view(&seen, root, labels, contacts);
	if (seen.tenant_id != NULL)
		o = origin_new(&seen);
	else
		err_set(err, ERR_PERM, "what is kept about the stream names no tenant");
	free(labels);
	free(contacts);
	json_decref(root);
	return o;
}
