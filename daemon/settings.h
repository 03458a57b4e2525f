/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/option.h"
#include "lib/policy/clouds.h"
#include "lib/policy/match.h"
#include "lib/record/origin.h"

struct sink_kind;
struct stream_kind;

/*
 * settings: the configuration, read, checked and resolved: names are pointers,
 * defaults are filled in, routing is a list of sinks. Immutable and counted:
 * work in flight ends under the settings it began with.
 *
 * It knows the meaning of the options, not how they are written (lib/config)
 * nor what is done with them. Reading blocks (files); done at start and reload.
 */
/* The way out to Microsoft where it is not direct; daemon/intake/fetch_proxy.h uses it. */
struct proxy_conf {
	char *url;                      /* http or https, host and port; NULL: no proxy */
	char *username;                 /* NULL: it asks for none */
	struct conf_list password_file; /* one name; see daemon/secret.h */
	struct conf_list no_proxy;      /* lib/policy/no_proxy.h */
	char *ca_file;                  /* for an https proxy; NULL: the system's */
};

enum credential_kind { CREDENTIAL_FEDERATED, CREDENTIAL_CERTIFICATE, CREDENTIAL_SECRET };

/* One way in which an app shows that it is itself. Files: names as in daemon/secret.h. */
struct credential {
	enum credential_kind kind;
	const char *file;            /* the token, the certificate, the secret */
	const char *key_file;        /* CERTIFICATE; NULL: in file */
	const char *passphrase_file; /* of the key; NULL: it is not encrypted */
	int64_t ends;                /* SECRET: ticks, as configured; 0: not known */
};

/* In the order of its choices. */
enum signature { SIGNATURE_PS256, SIGNATURE_RS256 };

struct app {
	char *name;
	int cloud;              /* enum cloud */
	char *client_id;
	const struct credential *credentials; /* tried in this order */
	size_t ncredentials;
	int signature;          /* enum signature, with certificates */
	/* Resolved, without a trailing slash: */
	char *login_url;        /* https://login.microsoftonline.com */
	char *graph_url;        /* https://graph.microsoft.com */
	char *mde_url;          /* https://api.securitycenter.microsoft.com; "": a custom cloud's */
	int mde_region;         /* index of mde_regions: 0 none */
	char *portal_url;       /* https://security.microsoft.com */
	char *resource[API_COUNT]; /* by enum api: whose tokens an API takes */
	char *ca_file;          /* of our own, for login and graph; NULL: the system's */
	struct proxy_conf proxy; /* its own, else the one for all */
	char *redirect_uri;     /* where consenting ends; NULL: as registered */
};

struct customer {
	char *name, *display_name;
	struct origin_label *labels;
	size_t nlabels;
	char *time_zone; /* IANA name; NULL: UTC */
	struct origin_label *contacts; /* a group's name and one mail address each */
	size_t ncontacts;
	int64_t access_expires; /* ticks: when our people's access to its portal ends; 0: not said */
};

enum sink_health { SINK_HEALTH_TENANTS, SINK_HEALTH_DAEMON };
/* What may wait for a sink before it is parked, or the polling of its tenants pauses. */
enum sink_when_full { WHEN_FULL_PARK, WHEN_FULL_PAUSE };
struct sink_backlog {
	int64_t size;   /* bytes; 0: any (of one that was read from a file: never 0) */
	int64_t age_ms; /* of the oldest; 0: any */
	int when_full;  /* enum sink_when_full */
};

struct sink_conf {
	char *name;
	const struct sink_kind *kind;
	void *conf;                /* kind->conf_size bytes, filled from kind->opts */
	const struct match *match; /* NULL: none */
	const struct match *const *any; /* of the kind's own: one of them must be passed, too */
	size_t nany;                    /* 0: it has none */
	struct sink_backlog backlog;
	int64_t canary_ms;         /* how often it gets a canary; 0: never */
	int64_t canary_within_ms;  /* in which one is to be accepted */
	char *from;                /* what it gets when it is new; NULL: from now on */
	struct conf_list only;     /* customers */
	const struct match_label *require_labels;
	size_t nrequire_labels;
	int health;                /* enum sink_health: whose health it is told of */
	/* Canonical text of its kind and that kind's options, trees too: equal text, equal sink (for reload).
	 * Routing, only, require_labels, match, backlog and from are not in it: they are decided
	 * before an entry gets to a sink. */
	char *text;
};

/* One of the lists that are read from a tenant. */
struct tenant_stream {
	struct log_ctx log; /* "tenant", its name; with "/incidents" behind it for all but alerts */
	const struct stream_kind *kind;
	char *key;          /* for the journal: the tenant's key, a slash, the name of the stream that
	                     * it shares its memory with, mostly its own */
	struct origin *origin;
};

struct tenant {
	struct log_ctx log;      /* "tenant", name */
	char *name;
	char *id;                /* GUID, lower case */
	char *domain;            /* one that it has verified; NULL */
	const struct app *app;
	const struct customer *customer; /* NULL: its own */
	char *key;               /* which it is, whatever its name: "global/<guid>"; a custom
	                          * cloud's: "custom:<graph host>:<port>/<guid>" */
	struct tenant_stream *streams; /* at least one, in the order of enum stream */
	size_t nstreams;
	const struct origin *origin; /* the first stream's */
	const struct sink_conf **sinks;
	size_t nsinks;
	int64_t poll_interval_ms, overlap_ms, first_lookback_ms;
	int64_t mde_wait_ms;     /* alerts of mde-alerts wait so long for Graph's */
	int64_t page_size;       /* $top */
	int64_t budget_per_min;  /* requests */
};

/* Who we are to the customers: the tenant that the analysts' accounts are in. */
struct mssp {
	char *name;              /* "" when not said */
	char *tenant_id;         /* GUID; NULL */
	char *domain;            /* NULL */
};

struct settings {
	unsigned refs;
	char *file;
	char *state_dir, *control_socket, *instance;
	bool is_socket_said; /* control_socket is in the file */
	struct mssp mssp;
	int64_t journal_max_size, remember_ms, keep_delivered_ms, forget_after_ms;
	int64_t max_requests;       /* in flight for all tenants */
	int64_t requests_per_minute; /* for all tenants; 0: no cap */
	int64_t request_timeout_ms; /* a whole request */
	int64_t max_body;           /* bytes of one decoded page */
	struct proxy_conf proxy;    /* of apps that have none of their own */
	int64_t health_settle_ms, silent_after_ms;
	char *http_listen;           /* address and port; NULL: nobody listens */
	struct conf_list http_names; /* by which it may be asked, besides addresses and localhost */
	bool watch;                /* the files are read anew when they change */
	int log_level, log_format; /* enum log_level, enum logging_format */
	struct app *apps;
	size_t napps;
	struct customer *customers;
	size_t ncustomers;
	struct sink_conf *sinks;
	size_t nsinks;
	struct tenant *tenants;
	size_t ntenants;
};

/* Takes every problem as one line "file:line:column: path: what is wrong; what would be right". */
typedef void settings_report(void *arg, bool is_error, const char *line);

/*
 * Reads file and every .yaml file of conf.d beside it. NULL when there was at least one error
 * (all of them were reported). When check_secrets, secrets' files are checked for
 * existence and permissions, not read; certificates and their keys are read.
 */
struct settings *settings_load(const char *file, bool check_secrets, settings_report *report,
    void *arg);
/*
 * For --dry-run: all sinks become one that prints CEF on standard output what any
 * of them would get. Only while the caller has the sole reference.
 */
void settings_dry_run(struct settings *s);
struct settings *settings_ref(const struct settings *s);
void settings_unref(struct settings *s);

const struct tenant *settings_tenant(const struct settings *s, const char *name);
const struct sink_conf *settings_sink(const struct settings *s, const char *name);
/* Of those that the tenant is routed to; NULL: it is not routed to one of that name. */
const struct sink_conf *tenant_sink(const struct tenant *t, const char *name);

/* After a reload: names each option ("journal.max_size") that has no effect before a restart. */
void settings_fixed_changes(const struct settings *was, const struct settings *now,
    void (*changed)(void *arg, const char *option), void *arg);

/* The manual (Markdown) and the plain list (-L), from the tables. */
void settings_print_manual(FILE *out);
void settings_print_options(FILE *out);

#endif
