/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/intake/token.h"
#include "lib/record/record.h"

/*
 * streams: which lists a tenant can be read for, and how each API wants to be
 * asked: one row a stream, one row an API. All that differs between streams is
 * here; the poller, paging and the scheduler know no names.
 *
 * It knows nothing of tenants, of requests in flight and of time. Pure.
 */
enum stream { STREAM_ALERTS, STREAM_INCIDENTS, STREAM_MDE_ALERTS, STREAM_COUNT };

struct stream_kind {
	const char *name;       /* in configurations, {stream}, at the end of the journal's key */
	enum api api;
	const char *path;       /* of the list, below the API's root */
	const char *more;       /* of each request's query, as it stands there; "": nothing */
	const char *time_field; /* that the list is filtered and ordered by */
	const char *created_field; /* likewise, where a day is counted */
	unsigned page_max;      /* $top that is asked for at most */
	bool is_by_skip;        /* see paging.h */
	enum stream memory;     /* whose memory in the journal it has; its own, mostly */
	const char *live, *hour, *day; /* names of its readers there */
	/* What is younger than mde_wait waits for the stream whose memory it shares: both may have
	 * it, and that one tells more. */
	bool waits;
	const char *items;      /* for people: "alerts" */
	enum token_role may;    /* that the token must hold */
	const char *role;       /* the least that gives it, for people */
	/* One slice becomes a record; as record_from_alert(). */
	struct record *(*read)(struct str slice, bool copy_raw, int64_t now);
};
extern const struct stream_kind stream_kinds[STREAM_COUNT];

/* What the streams of one API share. */
struct api_kind {
	const char *name;    /* for people: "Microsoft Graph" */
	const char *root;    /* path that everything of it lies below, with slashes around */
	const char *prefer;  /* header; NULL: none */
	int64_t most_per_min; /* whatever is configured; 0: no such limit */
	int64_t per_hour;     /* 0: no such limit */
};
extern const struct api_kind api_kinds[API_COUNT];

/* NULL when there is none of that name. */
const struct stream_kind *stream_find(const char *name);
/* What to write instead of a name of something that Microsoft has retired, or that has another
 * name here: a sentence part; NULL when nothing is known of it. */
const char *stream_instead(const char *name);
enum stream stream_number(const struct stream_kind *kind);
/* The API's base, without a slash at its end. */
const char *api_url(const struct app *app, enum api api);

#endif
