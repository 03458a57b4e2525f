/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/hostile.h"
#include "tests/fake_graph/incident.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/maker.h"
#include "tests/fake_graph/truth.h"

#define MAX_LINE (1024 * 1024)

struct truth {
	FILE *file;
	struct buf line;
};

/* By enum change: its own name, and the event a client should report. */
static const struct {
	const char *name, *event;
} changes[NCHANGES] = {
	[CHANGE_NEW] = { "new", "new" },
	[CHANGE_EVIDENCE] = { "evidence", "updated" },
	[CHANGE_VERDICT] = { "verdict", "updated" },
	[CHANGE_COMMENT] = { "comment", "updated" },
	[CHANGE_ASSIGNED] = { "assigned", "updated" },
	[CHANGE_ESCALATED] = { "escalated", "escalated" },
	[CHANGE_LOWERED] = { "lowered", "updated" },
	[CHANGE_RESOLVED] = { "resolved", "resolved" },
	[CHANGE_REOPENED] = { "reopened", "reopened" },
	[CHANGE_TOUCHED] = { "touched", "updated" },
	[CHANGE_MERGED] = { "merged", "updated" },
};

const char *
change_name(enum change c)
{
	return changes[c].name;
}

struct truth *
truth_open(const char *path, struct err *err)
{
	struct truth *t = xcalloc(1, sizeof(*t));

	buf_init(&t->line, MAX_LINE);
	if (path == NULL)
		return t;
	t->file = fopen(path, "we");
	if (t->file == NULL) {
		err_sys(err, ERR_CONF, errno, "--truth %s", path);
		truth_close(t);
		return NULL;
	}
	return t;
}

void
truth_close(struct truth *t)
{
	if (t == NULL)
		return;
	if (t->file != NULL)
		fclose(t->file);
	buf_release(&t->line);
	free(t);
}

void
truth_flush(struct truth *t)
{
	if (t->file != NULL)
		fflush(t->file);
}

/* Of a followed by b. */
static void
put_digest(struct buf *out, const char *key, struct str a, struct str b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	BUG_IF(ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1);
	BUG_IF(EVP_DigestUpdate(ctx, a.s, a.n) != 1 || EVP_DigestUpdate(ctx, b.s, b.n) != 1);
	BUG_IF(EVP_DigestFinal_ex(ctx, digest, &n) != 1);
	EVP_MD_CTX_free(ctx);
	j_key(out, key);
	buf_byte(out, '"');
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%02x", digest[i]);
	buf_byte(out, '"');
}

static void
put_sha256(struct buf *b, const struct version *v)
{
	if (v->alert->hostile != NULL && v->alert->hostile->reads == READS_UNREADABLE)
		put_digest(b, "sha256", (struct str) { v->body, v->len }, (struct str) { "", 0 });
	else
		j_strs(b, "sha256", NULL);
}

static void
put_state(struct buf *b, const struct version *v)
{
	static const char key[] = "\"lastUpdateDateTime\":";
	const char *end = v->body + v->len;
	const char *at = memmem(v->body, v->len, key, sizeof(key) - 1);
	const char *rest;

	if (at == NULL)
		at = end;
	for (rest = at; rest < end && *rest != ',' && *rest != '}'; rest++)
		;
	put_digest(b, "state", (struct str) { v->body, (size_t)(at - v->body) },
	    (struct str) { rest, (size_t)(end - rest) });
}

static void
put_severity(struct buf *b, const struct version *v)
{
	if (v->alert->hostile != NULL && v->alert->hostile->severity != NULL)
		j_raw(b, "severity", v->alert->hostile->severity);
	else
		j_strs(b, "severity", severity_name(v->facts.severity));
}

static const char *
stream_name(const struct alert *a)
{
	return a->is_incident ? "incidents" : "alerts";
}

void
truth_line(struct buf *b, const struct version *v)
{
	const struct alert *a = v->alert;
	const struct hostile *h = a->hostile;

	buf_puts(b, "{\"t\":\"v\"");
	j_strs(b, "tenant", a->tenant->guid);
	j_int(b, "index", a->tenant->index);
	j_strs(b, "stream", stream_name(a));
	j_strs(b, "mde", !a->is_mde ? "no" : a->is_mde_only ? "only" : "both");
	j_strs(b, "key", a->id);
	j_key(b, "id");
	corpus_id(b, a);
	j_int(b, "version", v->number);
	j_key(b, "created");
	put_stamp(b, a->created, false);
	j_key(b, "updated");
	put_stamp(b, v->facts.updated, false);
	put_severity(b, v);
	j_strs(b, "status",
	    a->is_incident ? incident_status(&v->facts) : status_name(v->facts.status));
	if (h != NULL && h->evidence != NULL)
		j_raw(b, "evidence", "null");
	else
		j_int(b, "evidence", v->facts.nevidence);
	j_key(b, "title");
	corpus_title(b, a);
	j_int(b, "visible_from", v->visible_from);
	j_int(b, "replaced_at", 0);
	j_strs(b, "event", changes[v->facts.change].event);
	j_strs(b, "change", changes[v->facts.change].name);
	j_bool(b, "poller_could_see", true);
	j_strs(b, "hostile", h != NULL ? h->name : NULL);
	j_strs(b, "reads", hostile_reads_name(h != NULL ? h->reads : READS_PLAIN));
	put_sha256(b, v);
	put_state(b, v);
	buf_puts(b, "}\n");
}

static void
end_line(struct buf *b, const struct version *v, int64_t ended_ms, bool could_be_seen)
{
	buf_puts(b, "{\"t\":\"x\"");
	j_strs(b, "tenant", v->alert->tenant->guid);
	j_strs(b, "stream", stream_name(v->alert));
	j_strs(b, "key", v->alert->id);
	j_int(b, "version", v->number);
	j_key(b, "updated");
	put_stamp(b, v->facts.updated, false);
	j_int(b, "replaced_at", ended_ms);
	j_bool(b, "poller_could_see", could_be_seen);
	buf_puts(b, "}\n");
}

void
truth_listen(const struct version *v, int64_t ended_ms, bool could_be_seen, void *arg)
{
	struct truth *t = arg;

	if (t->file == NULL)
		return;
	buf_clear(&t->line);
	if (ended_ms == 0)
		truth_line(&t->line, v);
	else
		end_line(&t->line, v, ended_ms, could_be_seen);
	fwrite(t->line.p, 1, t->line.n, t->file);
}

void
truth_help(void)
{
	printf("The truth file: JSON lines. At the birth of a version\n"
	       "  "
	       "{\"t\":\"v\",\"tenant\":GUID,\"index\":N,\"stream\":…,\"mde\":…,\"key\":…,"
	       "\"id\":…|null,\"version\":N,"
	       "\"created\":…,\n"
	       "   "
	       "\"updated\":…,\"severity\":…,\"status\":…,\"evidence\":N,\"title\":…,\"visible_"
	       "from\":MS,\n"
	       "   "
	       "\"replaced_at\":0,\"event\":…,\"change\":…,\"poller_could_see\":true,\"hostile\":"
	       "null|CLASS,\n"
	       "   \"reads\":\"plain\"|\"repair\"|\"unreadable\",\"sha256\":null|HEX,"
	       "\"state\":HEX}\n"
	       "and when it is shown no more, or was overtaken before it was ever shown\n"
	       "  "
	       "{\"t\":\"x\",\"tenant\":GUID,\"stream\":…,\"key\":…,\"version\":N,\"updated\":…,"
	       "\"replaced_at\":"
	       "MS,\n"
	       "   \"poller_could_see\":true|false}\n"
	       "key names the alert in its tenant. id is null where none can be trusted. Times: "
	       "updated and\n"
	       "created with 7 digits; MS of the wall clock; a version is shown in [visible_from, "
	       "replaced_at).\n"
	       "event: new updated escalated resolved reopened; change: new evidence verdict "
	       "comment assigned\n"
	       "escalated lowered resolved reopened touched merged. mde: who has it, no (Graph alone), both, "
	       "only (Defender for\nEndpoint alone). sha256 of the bytes sent, for "
	       "unreadable ones.\n"
	       "state is equal where nothing but lastUpdateDateTime differs.\n");
}
