/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <libfyaml.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/config/yaml.h"

struct level {
	struct node *node;
	const char *key; /* of a mapping: read, its value not yet */
	struct place key_at;
};

struct reader {
	struct arena *arena;
	struct problems *problems;
	struct str text;
	const char *file;
	unsigned order;
	struct fy_diag *diag;
	struct fy_parser *parser;
	struct level levels[YAML_MAX_DEPTH];
	size_t depth, nodes, documents;
	struct node *root;
};

/* libfyaml counts from 0; an event without a mark is where the last thing was. */
static struct place
place_of(const struct reader *r, struct fy_event *e)
{
	const struct fy_mark *mark = fy_event_start_mark(e);
	struct place at = { .file = r->file, .order = r->order, .line = 1, .column = 1 };

	if (mark != NULL) {
		at.line = (unsigned)mark->line + 1;
		at.column = (unsigned)mark->column + 1;
		if (e->type == FYET_SCALAR && at.column > 1) {
			enum fy_scalar_style style = fy_token_scalar_style(e->scalar.value);

			/* It points behind the opening quote. */
			if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
				at.column--;
		}
	} else if (r->depth > 0) {
		const struct level *top = &r->levels[r->depth - 1];

		at = top->key != NULL ? top->key_at : top->node->at;
	}
	return at;
}

static bool
fail(struct reader *r, const struct place *at, const char *what)
{
	problems_error(r->problems, at, "", "%s", what);
	return false;
}

/* ---- the bytes, before any parser sees them -------------------------------- */

static bool
check_bytes(struct reader *r)
{
	struct place at = { .file = r->file, .order = r->order, .line = 1, .column = 1 };
	const char *s = r->text.s;
	size_t len;

	if (r->text.n > YAML_MAX_BYTES) {
		at.line = 0;
		return fail(r, &at, "is larger than 4 MiB; split it into files below conf.d");
	}
	for (size_t i = 0; i < r->text.n; i += len) {
		unsigned char c = (unsigned char)s[i];

		len = utf8_next(s + i, r->text.n - i, NULL);
		if (len == 0)
			return fail(r, &at, "this byte is not UTF-8; save the file as UTF-8 text");
		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return fail(r, &at, "a control character; remove it");
		at.column++;
		if (c == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return true;
}

/* True when the indentation of that line has a tab in it, which is what people trip over most. */
static bool
has_tab_indent(const struct reader *r, int line)
{
	const char *p = r->text.s, *end = p + r->text.n;

	for (int i = 1; i < line && p < end; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return false;
		p++;
	}
	while (p < end && *p == ' ')
		p++;
	return p < end && *p == '\t';
}

static bool
syntax_error(struct reader *r)
{
	struct place at = { .file = r->file, .order = r->order };
	void *iter = NULL;
	const struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &iter);

	if (e == NULL || e->line < 1) {
		problems_error(r->problems, &at, "", "is not YAML");
		return false;
	}
	at.line = (unsigned)e->line;
	at.column = e->column > 0 ? (unsigned)e->column : 1;
	if (has_tab_indent(r, e->line) || has_tab_indent(r, e->line + 1))
		return fail(r, &at, "not YAML: a tab in the indentation near here; use spaces");
	problems_error(r->problems, &at, "",
	    "not YAML: %.200s; look at the indentation, quotes and "
	    "brackets on and above this line",
	    e->msg);
	return false;
}

/* ---- events to nodes ---------------------------------------------------------- */

static struct node *
new_node(struct reader *r, struct fy_event *e, enum node_kind kind)
{
	struct place at = place_of(r, e);
	struct node *n;

	if (r->nodes++ == YAML_MAX_NODES) {
		fail(r, &at, "too many values in one file; split it into files below conf.d");
		return NULL;
	}
	n = arena_alloc(r->arena, sizeof(*n));
	n->kind = kind;
	n->text = "";
	n->at = n->key_at = at;
	return n;
}

static void
append(struct node *parent, struct node *n)
{
	n->parent = parent;
	n->index = parent->n++;
	if (parent->last != NULL)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
}

static bool
take_key(struct reader *r, struct level *top, const struct node *n)
{
	if (n->kind != NODE_SCALAR)
		return fail(r, &n->at, "a key cannot be a list or a mapping; write key: value");
	if (n->is_null || n->text[0] == '\0')
		return fail(r, &n->at, "a key is missing here; write key: value");
	top->key = n->text;
	top->key_at = n->at;
	return true;
}

/* Puts a new node where it belongs. */
static bool
place_node(struct reader *r, struct node *n)
{
	struct level *top;

	if (r->depth == 0) {
		r->root = n;
		return true;
	}
	top = &r->levels[r->depth - 1];
	if (top->node->kind == NODE_MAP && top->key == NULL)
		return take_key(r, top, n);
	if (top->node->kind == NODE_MAP) {
		n->key = top->key;
		n->key_at = top->key_at;
		top->key = NULL;
	}
	append(top->node, n);
	return true;
}

static bool
is_null_text(const char *s)
{
	return s[0] == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
	       strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0;
}

static bool
on_scalar(struct reader *r, struct fy_event *e)
{
	struct node *n = new_node(r, e, NODE_SCALAR);
	size_t len = 0;
	const char *s;

	if (n == NULL)
		return false;
	s = e->scalar.value != NULL ? fy_token_get_text(e->scalar.value, &len) : "";
	if (s == NULL || memchr(s, '\0', len) != NULL || !utf8_valid(s, len))
		return fail(r, &n->at, "this text holds a NUL or no character; leave it out");
	n->text = arena_copy(r->arena, (struct str){ s, len }).s;
	n->is_null =
	    (e->scalar.value == NULL || fy_token_scalar_style(e->scalar.value) == FYSS_PLAIN) &&
	    is_null_text(n->text);
	return place_node(r, n);
}

static bool
on_open(struct reader *r, struct fy_event *e, enum node_kind kind)
{
	struct node *n = new_node(r, e, kind);

	if (n == NULL || !place_node(r, n))
		return false;
	if (r->depth == YAML_MAX_DEPTH)
		return fail(r, &n->at, "nested too deeply");
	r->levels[r->depth++] = (struct level){ .node = n };
	return true;
}

static int
by_key(const void *x, const void *y)
{
	const struct node *a = *(const struct node *const *)x, *b = *(const struct node *const *)y;
	int c = strcmp(a->key, b->key);

	return c != 0 ? c : a->index < b->index ? -1 : a->index > b->index;
}

/* Reports keys given twice in one file, or (joined) in two. */
static void
check_twice(const struct node *map, bool joined, struct problems *p)
{
	const struct node **v;
	char path[300];
	size_t n = 0;

	if (map->n < 2)
		return;
	v = xmalloc(map->n * sizeof(const struct node *));
	for (const struct node *c = map->first; c != NULL; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof(const struct node *), by_key);
	for (size_t i = 1; i < n; i++) {
		const struct place *was = &v[i - 1]->key_at;

		if (strcmp(v[i]->key, v[i - 1]->key) != 0 ||
		    joined == (was->order == v[i]->key_at.order))
			continue;
		node_path(v[i], path, sizeof(path));
		problems_error(p, &v[i]->key_at, path,
		    "given twice, first at %.300s:%u:%u; keep "
		    "one of them",
		    was->file, was->line, was->column);
	}
	free(v);
}

static void
on_close(struct reader *r)
{
	const struct node *n = r->levels[--r->depth].node;

	if (n->kind == NODE_MAP)
		check_twice(n, false, r->problems);
}

static bool
check_plain(
    struct reader *r, struct fy_event *e, const struct fy_token *tag, const struct fy_token *anchor)
{
	struct place at = place_of(r, e);

	if (anchor != NULL)
		return fail(r, &at, "anchors (&name) are not allowed; write the value out");
	if (tag != NULL)
		return fail(r, &at, "tags (!name) are not allowed; write the value alone");
	return true;
}

static bool
on_event(struct reader *r, struct fy_event *e)
{
	struct place at = place_of(r, e);

	switch (e->type) {
	case FYET_DOCUMENT_START:
		if (r->documents++ == 1)
			return fail(
			    r, &at, "a second document (---); put it into a file of its own");
		return true;
	case FYET_ALIAS:
		return fail(r, &at, "aliases (*name) are not allowed; write the value out");
	case FYET_SCALAR:
		return check_plain(r, e, e->scalar.tag, e->scalar.anchor) && on_scalar(r, e);
	case FYET_MAPPING_START:
		return check_plain(r, e, e->mapping_start.tag, e->mapping_start.anchor) &&
		       on_open(r, e, NODE_MAP);
	case FYET_SEQUENCE_START:
		return check_plain(r, e, e->sequence_start.tag, e->sequence_start.anchor) &&
		       on_open(r, e, NODE_LIST);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		on_close(r);
		return true;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
		return true;
	}
	return true;
}

static bool
read_events(struct reader *r)
{
	struct fy_event *e = fy_parser_parse(r->parser);
	bool ok = true;

	while (e != NULL && ok) {
		ok = on_event(r, e);
		fy_parser_event_free(r->parser, e);
		e = ok ? fy_parser_parse(r->parser) : NULL;
	}
	if (ok && fy_parser_get_stream_error(r->parser))
		return syntax_error(r);
	return ok;
}

static bool
check_root(struct reader *r)
{
	struct place whole = { .file = r->file, .order = r->order };

	if (r->root == NULL || r->root->is_null)
		return fail(r, &whole, "is empty; write at least one option, or remove the file");
	if (r->root->kind != NODE_MAP)
		return fail(r, &r->root->at, "not a mapping; write options as key: value");
	return true;
}

static bool
parse(struct reader *r)
{
	struct fy_diag_cfg diag;
	struct fy_parse_cfg cfg = { .flags = FYPCF_DEFAULT_PARSE };
	bool ok;

	fy_diag_cfg_default(&diag);
	diag.fp = NULL; /* it would print to stderr by itself */
	r->diag = fy_diag_create(&diag);
	BUG_IF(r->diag == NULL);
	fy_diag_set_collect_errors(r->diag, true);
	cfg.diag = r->diag;
	r->parser = fy_parser_create(&cfg);
	BUG_IF(r->parser == NULL);
	ok = fy_parser_set_string(r->parser, r->text.s, r->text.n) == 0 ? read_events(r)
	                                                                : syntax_error(r);
	fy_parser_destroy(r->parser);
	fy_diag_destroy(r->diag);
	return ok;
}

struct node *
yaml_read(struct arena *a, struct str text, const char *file, unsigned order, struct problems *p)
{
	struct reader r = { .arena = a, .problems = p, .order = order };

	r.file = arena_strdup(a, file);
	if (str_starts(text, "\xef\xbb\xbf"))
		text = (struct str){ text.s + 3, text.n - 3 };
	r.text = text;
	if (!check_bytes(&r) || (text.n != 0 && !parse(&r)) || !check_root(&r))
		return NULL;
	return r.root;
}

/* ---- several files ------------------------------------------------------------- */

static struct node *
find(const struct node *map, const char *key)
{
	for (struct node *c = map->first; c != NULL; c = c->next) {
		if (strcmp(c->key, key) == 0)
			return c;
	}
	return NULL;
}

static void
move_children(struct node *into, struct node *from)
{
	for (struct node *c = from->first, *next; c != NULL; c = next) {
		next = c->next;
		c->next = NULL;
		append(into, c);
	}
}

void
yaml_join(struct node *into, struct node *more, struct problems *p)
{
	for (struct node *c = more->first, *next; c != NULL; c = next) {
		struct node *was = find(into, c->key);

		next = c->next;
		c->next = NULL;
		if (was == NULL)
			append(into, c);
		else if (was->kind == NODE_MAP && c->kind == NODE_MAP)
			move_children(was, c);
		else
			problems_error(p, &c->key_at, c->key,
			    "given twice, first at %.300s:%u:%u; "
			    "keep one of them",
			    was->key_at.file, was->key_at.line, was->key_at.column);
	}
}

void
yaml_joined(const struct node *root, struct problems *p)
{
	for (const struct node *c = root->first; c != NULL; c = c->next) {
		if (c->kind == NODE_MAP)
			check_twice(c, true, p);
	}
}

/* ---- looking at the tree -------------------------------------------------------- */

const struct node *
node_get(const struct node *map, const char *key)
{
	return map != NULL && map->kind == NODE_MAP ? find(map, key) : NULL;
}

const struct node *
node_at(const struct node *list, size_t i)
{
	const struct node *c;

	if (list == NULL || list->kind != NODE_LIST)
		return i == 0 ? list : NULL;
	for (c = list->first; c != NULL && i > 0; c = c->next)
		i--;
	return c;
}

void
node_path(const struct node *n, char *out, size_t size)
{
	const struct node *up[YAML_MAX_DEPTH + 1];
	struct buf b = BUF_INIT(size - 1);
	size_t depth = 0;

	for (; n->parent != NULL; n = n->parent)
		up[depth++] = n;
	while (depth-- > 0) {
		if (up[depth]->key == NULL)
			buf_printf(&b, "[%zu]", up[depth]->index);
		else
			buf_printf(&b, "%s%s", b.n != 0 ? "." : "", up[depth]->key);
	}
	snprintf(out, size, "%s", b.n != 0 ? b.p : "");
	buf_release(&b);
}

static void
write_text(struct buf *b, const char *text)
{
	buf_printf(b, "%zu:", strlen(text));
	buf_puts(b, text);
}

/* Depth and size are bounded by what was read. Each text goes with its length. */
void
node_write(struct buf *b, const struct node *n)
{
	if (n->kind == NODE_SCALAR) {
		buf_puts(b, n->is_null ? "~" : "");
		write_text(b, n->text);
		return;
	}
	buf_byte(b, n->kind == NODE_MAP ? '{' : '[');
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		if (n->kind == NODE_MAP)
			write_text(b, c->key);
		node_write(b, c);
	}
	buf_byte(b, n->kind == NODE_MAP ? '}' : ']');
}

const char *
node_what(const struct node *n)
{
	switch (n->kind) {
	case NODE_MAP:
		return "a mapping";
	case NODE_LIST:
		return "a list";
	case NODE_SCALAR:
		return n->is_null ? "nothing" : "a text";
	}
	return "";
}
