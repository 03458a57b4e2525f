/* SPDX-License-Identifier: Apache-2.0 */
#ifndef YAML_H
#define YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/config/problems.h"

/*
 * yaml: the text of a configuration file as a tree in which everything has its
 * place. The only room that knows libfyaml; it reads YAML 1.2, and so JSON.
 *
 * It knows nothing of options: every scalar is text. Files are read by the
 * caller. Pure.
 *
 * Promises
 *  - one document, a mapping at the top; no aliases, anchors or tags; text is
 *    well-formed UTF-8 without NUL.
 *  - a key given twice in a mapping is reported with both places; the tree is
 *    still good for finding more.
 *  - depth, nodes and bytes are capped below.
 */
#define YAML_MAX_BYTES (4 * 1024 * 1024)
#define YAML_MAX_NODES 400000
#define YAML_MAX_DEPTH 16

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* Lives in the arena it was read into, with all its text. */
struct node {
	enum node_kind kind;
	bool is_null;     /* a scalar that says nothing: absent, ~ or null without quotes */
	const char *text; /* of a scalar; never NULL */
	const char *key;  /* in a mapping; NULL elsewhere */
	const struct node *parent;
	struct node *first, *last, *next; /* children, in their order; next sibling */
	size_t n;                         /* how many children */
	size_t index;                     /* among its siblings, when it was read */
	struct place at, key_at;
};

/*
 * Reads text; file names it in messages and is copied. NULL when there is no
 * sound tree: then the reason was added to p.
 */
struct node *yaml_read(
    struct arena *a, struct str text, const char *file, unsigned order, struct problems *p);

/*
 * Joins another file's tree into `into`: sections of the same name become one,
 * and a name given twice in them is added to p with both places. `more` is used up.
 */
void yaml_join(struct node *into, struct node *more, struct problems *p);
/* After the last yaml_join(): reports what two files give both. */
void yaml_joined(const struct node *root, struct problems *p);

/* The child of that key; NULL when map is NULL, no mapping, or has none. */
const struct node *node_get(const struct node *map, const char *key);
/* The i-th element; a scalar stands for a list of one. NULL past the end. */
const struct node *node_at(const struct node *list, size_t i);
/* "sinks.siem.servers[1]" into out; "" for the root. */
void node_path(const struct node *n, char *out, size_t size);
/* Appends the tree as text on one line, keys in the order of the file: equal text, equal values. */
void node_write(struct buf *b, const struct node *n);
/* "a mapping", "a list", "a text", "nothing": for messages. */
const char *node_what(const struct node *n);

#endif
