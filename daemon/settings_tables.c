/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/util.h>
#include <sys/socket.h>

#include "daemon/intake/streams.h"
#include "daemon/replays.h"
#include "daemon/settings_build.h"
#include "lib/config/unit.h"
#include "lib/config/url.h"
#include "lib/format/header.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define KIB    INT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)

/* In the order of their enums. */
static const char *const when_fulls[] = { "park", "pause", NULL };
static const char *const sink_healths[] = { "tenants", "daemon", NULL };
static const char *const log_levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const log_formats[] = { "auto", "text", "json", NULL };
static const char *const signatures[] = { "ps256", "rs256", NULL };

/* ---- checks of one text --------------------------------------------------------- */

static bool
check_tenant_id(const char *text, struct err *err)
{
	char guid[37];

	if (guid_parse(str_of(text), guid))
		return true;
	if (strchr(text, '.') != NULL)
		return err_set(err, ERR_CONF, "\"%.100s\" is a domain, which may move to another "
		    "tenant; write the tenant's GUID (Entra admin center, Overview, Tenant ID)", text);
	return err_set(err, ERR_CONF, "\"%.100s\" is not a GUID; write the tenant's, like "
	    "11111111-2222-3333-4444-555555555555", text);
}

static bool
check_client_id(const char *text, struct err *err)
{
	char guid[37];

	return guid_parse(str_of(text), guid)
	    || err_set(err, ERR_CONF, "\"%.100s\" is not a GUID; write the app registration's "
	    "Application (client) ID", text);
}

/* Microsoft's clouds that have no such API. */
static const struct {
	const char *name, *what;
} refused_clouds[] = {
	{ "china", "its China cloud" }, { "21vianet", "its China cloud" },
	{ "bleu", "the French cloud Bleu" }, { "delos", "the German cloud Delos" },
	{ "germany", "a cloud of Germany" }
};

static bool
check_cloud(const char *text, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused_clouds); i++) {
		if (str_starts(str_of(text), refused_clouds[i].name))
			return err_set(err, ERR_CONF, "Microsoft does not offer the Defender alerts API in "
			    "%s; use global, gcc, gcc-high, dod or custom", refused_clouds[i].what);
	}
	return true;
}

static bool
check_file_name(const char *text, struct err *err)
{
	return text[0] == '/' || (text[0] != '\0' && strchr(text, '/') == NULL)
	    || err_set(err, ERR_CONF, "\"%.200s\" is neither a bare name nor an absolute path; begin "
	    "it with /", text);
}

static bool
check_date(const char *text, struct err *err)
{
	int64_t ticks;

	return unit_date(str_of(text), &ticks)
	    || err_set(err, ERR_CONF, "\"%.80s\" is not a date; write year, month and day: "
	    "2027-03-01", text);
}

static bool
check_service_url(const char *text, struct err *err)
{
	struct url u;

	if (!url_split(str_of(text), &u, err))
		return false;
	return u.is_https || url_is_loopback(&u)
	    || err_set(err, ERR_CONF, "\"%.120s\" would send tokens in the clear; write https "
	    "(http is for 127.0.0.1, [::1] and localhost only)", text);
}

static bool
check_portal_url(const char *text, struct err *err)
{
	struct url u;

	if (!url_split(str_of(text), &u, err))
		return false;
	return (u.is_https && u.path.n <= 1)
	    || err_set(err, ERR_CONF, "\"%.120s\" is not a portal; write https://host", text);
}

static bool
check_redirect(const char *text, struct err *err)
{
	struct url u;

	if (!url_split(str_of(text), &u, err))
		return false;
	return u.is_https || url_is_loopback(&u)
	    || err_set(err, ERR_CONF, "\"%.120s\" is refused by Microsoft; write https (http is for "
	    "localhost only)", text);
}

static bool
check_domain(const char *text, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t n = strspn(text, letters);

	return (text[n] == '\0' && n >= 3 && n < 254 && strchr(text, '.') != NULL && text[0] != '.')
	    || err_set(err, ERR_CONF, "\"%.100s\" is not a domain; write one like "
	    "contoso.onmicrosoft.com", text);
}

static bool
check_zone(const char *text, struct err *err)
{
	struct zone *z = zone_open(text, err);

	if (z == NULL)
		return false;
	zone_close(z);
	return true;
}

static bool
check_stream(const char *text, struct err *err)
{
	struct buf names = BUF_INIT(200);

	if (stream_find(text) != NULL)
		return true;
	if (stream_instead(text) != NULL)
		return err_set(err, ERR_CONF, "\"%.80s\" is %s", text, stream_instead(text));
	for (int i = 0; i < STREAM_COUNT; i++)
		buf_printf(&names, "%s%s", i != 0 ? ", " : "", stream_kinds[i].name);
	err_set(err, ERR_CONF, "\"%.80s\" is not a stream; the streams are: %s", text, names.p);
	buf_release(&names);
	return false;
}

static bool
check_moment(const char *text, struct err *err)
{
	int64_t ticks;

	if (!replays_moment(text, 0, &ticks, err))
		return false;
	return ticks >= -REPLAYS_DAYS * 86400 * TICKS_SEC
	    || err_set(err, ERR_CONF, "\"%.60s\" is more than %d days: Microsoft keeps alerts for "
	    "so long", text, REPLAYS_DAYS);
}

static bool
check_host_name(const char *text, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t n = strspn(text, letters);

	return (text[n] == '\0' && n > 0 && n < 254)
	    || err_set(err, ERR_CONF, "\"%.100s\" is not a host name; write it without a scheme and "
	    "a port", text);
}

/* A name would be looked up once and then be wrong for ever: an address. */
static bool
check_listen(const char *text, struct err *err)
{
	struct sockaddr_storage address;
	int n = sizeof(address);
	const char *port = strrchr(text, ':');

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&address, &n) == 0 && port != NULL
	    && strspn(port + 1, "0123456789") == strlen(port + 1) && port[1] != '0'
	    && (text[0] == '[' || strchr(text, ':') == port))
		return true;
	return err_set(err, ERR_CONF, "\"%.100s\" is not an address and a port; write them like "
	    "127.0.0.1:9464 or [::1]:9464", text);
}

/* ---- the rows ---------------------------------------------------------------------- */

/* In the order of the manual. */

#define F(field) offsetof(struct settings, field)
static const struct conf_opt journal_opts[] = {
	{ .name = "max_size", .type = CONF_SIZE, .off = F(journal_max_size), .flags = CONF_FIXED,
	  .def = "8GiB", .min = 16 * MIB, .max = 16384 * GIB,
	  .help = "Largest size of the journal file. At nine tenths of it polling pauses until the "
	      "sinks have caught up. Lowered by itself on a small file system." },
	{ .name = "remember", .type = CONF_TIME, .off = F(remember_ms), .flags = CONF_FIXED,
	  .def = "190d", .min = 8 * DAY, .max = 3650 * DAY,
	  .help = "An alert is forgotten this long after its last version was read. Shorter than "
	      "Microsoft keeps alerts (180 days by default), an old alert that changes is taken "
	      "for a new one." },
	{ .name = "keep_delivered", .type = CONF_TIME, .off = F(keep_delivered_ms),
	  .flags = CONF_FIXED, .def = "24h", .min = 0, .max = 365 * DAY,
	  .help = "Delivered entries stay in the journal this long where there is room." },
	{ .name = NULL }
};

static const struct conf_opt intake_opts[] = {
	{ .name = "max_requests", .type = CONF_INT, .off = F(max_requests), .def = "64", .min = 1,
	  .max = 1000,
	  .help = "Requests in flight to Microsoft for all tenants together; each stream of a "
	      "tenant has at most one." },
	{ .name = "requests_per_minute", .type = CONF_INT, .off = F(requests_per_minute),
	  .def = "0", .min = 0, .max = 1000000,
	  .help = "Requests a minute to Microsoft for all tenants together, besides those for "
	      "tokens; a tenth of them may come in one burst. What is due goes first, but one "
	      "in four is a backlog's; sweeps go last. 0: as many as the tenants' budgets allow." },
	{ .name = "request_timeout", .type = CONF_TIME, .off = F(request_timeout_ms), .def = "60s",
	  .min = SECOND, .max = 10 * MINUTE,
	  .help = "A request that takes longer, from its start to the last byte of the answer, is "
	      "given up and tried again later." },
	{ .name = "max_body", .type = CONF_SIZE, .off = F(max_body), .def = "16MiB",
	  .min = 64 * KIB, .max = 256 * MIB,
	  .help = "Largest answer (unpacked) that is read. A larger one is asked for again with "
	      "half as many alerts." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct settings, field)
static const struct conf_opt health_opts[] = {
	{ .name = "settle", .type = CONF_TIME, .off = F(health_settle_ms), .def = "60s", .min = 0,
	  .max = HOUR,
	  .help = "A tenant, a sink or the journal must be in a state for this long before a health "
	      "record tells of it; what is ill again and again is called well later each time." },
	{ .name = "silent_after", .type = CONF_TIME, .off = F(silent_after_ms), .def = "15m",
	  .min = SECOND, .max = 7 * DAY,
	  .help = "A tenant that was not read for this long, and for at least five of its "
	      "intervals, is told of as `not read`, where nothing worse is known of it." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct settings, field)
static const struct conf_opt http_opts[] = {
	{ .name = "listen", .type = CONF_STR, .off = F(http_listen), .check = check_listen,
	  .shown = "nowhere",
	  .help = "Address and port, like 127.0.0.1:9464. Nobody has to sign in, so keep it on "
	      "loopback, or behind a proxy that asks who comes." },
	{ .name = "names", .type = CONF_LIST, .off = F(http_names), .check = check_host_name,
	  .max = 16,
	  .help = "Host names by which it may be asked, as of a proxy before it. Addresses and "
	      "`localhost` are always good; any other name is refused, so that no page on the web "
	      "can have a browser read it (DNS rebinding)." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct defaults, field)
static const struct conf_opt defaults_opts[] = {
	{ .name = "app", .type = CONF_STR, .off = F(app),
	  .help = "App registration of tenants that name none." },
	{ .name = "sinks", .type = CONF_LIST, .off = F(sinks),
	  .help = "Sinks of tenants that have none of their own nor through their customer." },
	{ .name = "streams", .type = CONF_LIST, .off = F(streams), .def = "alerts", .min = 1,
	  .max = 8, .check = check_stream,
	  .help = "What is read from a tenant: `alerts` (of all Defender products, by Graph's "
	      "alerts_v2), `incidents` (what Microsoft puts alerts together to, as records of "
	      "their own) and `mde-alerts` (of Defender for Endpoint alone, by its own API; beside "
	      "`alerts` it only adds what Graph does not have). Each needs a permission of its own: "
	      "SecurityAlert.Read.All, SecurityIncident.Read.All, and Alert.Read.All of "
	      "WindowsDefenderATP." },
	{ .name = "poll_interval", .type = CONF_TIME, .off = F(poll_interval_ms), .def = "60s",
	  .min = SECOND, .max = DAY,
	  .help = "A tenant is asked for news this often." },
	{ .name = "overlap", .type = CONF_TIME, .off = F(overlap_ms), .def = "10m", .min = 0,
	  .max = DAY,
	  .help = "Each poll reads again what changed in this time before the newest alert known, "
	      "because alerts do not appear in the order of their time stamps. What is known "
	      "already is not sent twice." },
	{ .name = "first_lookback", .type = CONF_TIME, .off = F(first_lookback_ms), .def = "24h",
	  .min = 0, .max = 180 * DAY,
	  .help = "A tenant seen for the first time is read from this far back." },
	{ .name = "page_size", .type = CONF_INT, .off = F(page_size), .def = "200", .min = 1,
	  .max = 1000,
	  .help = "Alerts asked for at once ($top); of incidents at most 50." },
	{ .name = "budget", .type = CONF_INT, .off = F(budget_per_min), .def = "150", .min = 1,
	  .max = 10000,
	  .help = "Requests a minute to one tenant, at most, by all its streams of an API together. "
	      "Microsoft allows an app 150 of Graph's in a tenant, and 100 of Defender for Endpoint's, "
	      "1500 an hour, which are kept whatever is written here." },
	{ .name = "mde_wait", .type = CONF_TIME, .off = F(mde_wait_ms), .def = "15m",
	  .min = 0, .max = DAY,
	  .help = "Where a tenant is read for alerts and mde-alerts, an alert that only Defender for "
	      "Endpoint's API has waits so long, from when it was made, for the same alert in Graph, "
	      "which is sent instead." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct mssp, field)
static const struct conf_opt mssp_opts[] = {
	{ .name = "name", .type = CONF_STR, .off = F(name), .def = "",
	  .help = "Your organization's name, as customers know it." },
	{ .name = "tenant", .type = CONF_STR, .off = F(tenant_id), .check = check_tenant_id,
	  .help = "ID of the Entra tenant that your analysts' accounts are in, a GUID. Microsoft "
	      "suggests one of its own for them." },
	{ .name = "domain", .type = CONF_STR, .off = F(domain), .check = check_domain,
	  .help = "A domain that this tenant has verified." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct settings_whole, field)
const struct conf_opt root_opts[] = {
	{ .name = "state_dir", .type = CONF_STR, .off = F(s.state_dir), .flags = CONF_FIXED,
	  .check = conf_check_absolute, .shown = "`$STATE_DIRECTORY`, else `/var/lib/msspd`",
	  .help = "Directory of the journal, for one msspd alone. On a local disk: network file "
	      "systems are refused." },
	{ .name = "control_socket", .type = CONF_STR, .off = F(s.control_socket),
	  .flags = CONF_FIXED, .check = conf_check_absolute,
	  .shown = "`$RUNTIME_DIRECTORY/control.sock`, else `control.sock` in `state_dir`",
	  .help = "Unix socket that msspctl speaks to." },
	{ .name = "instance", .type = CONF_STR, .off = F(s.instance), .flags = CONF_FIXED,
	  .help = "A name for this msspd where several run; in records and as {instance} in "
	      "templates." },
	{ .name = "log_level", .type = CONF_CHOICE, .off = F(s.log_level), .def = "info",
	  .choices = log_levels,
	  .help = "The least important messages that are still logged." },
	{ .name = "log_format", .type = CONF_CHOICE, .off = F(s.log_format), .def = "auto",
	  .choices = log_formats,
	  .help = "`text`: lines. `json`: an object a line, with `time`, `level`, `message`, "
	      "`tenant` or `sink`, and the values by their names. `auto`: structured entries where "
	      "systemd's journal reads msspd (fields MSSPD_TENANT, MSSPD_SINK and so on), else text." },
	{ .name = "watch", .type = CONF_BOOL, .off = F(s.watch), .def = "false",
	  .help = "The files are read anew a second after they have changed, as by a reload: what is "
	      "wrong changes nothing, and is logged. Of a symbolic link it is seen that the link "
	      "changes, not what it leads to." },
	{ .name = "forget_after", .type = CONF_TIME, .off = F(s.forget_after_ms),
	  .flags = CONF_FIXED, .def = "7d", .min = MINUTE, .max = 365 * DAY,
	  .help = "A sink that is no longer in the configuration keeps what is waiting for it this "
	      "long." },
	{ .name = "journal", .type = CONF_MAP, .off = F(s), .sub = journal_opts,
	  .help = "What msspd keeps on disk." },
	{ .name = "intake", .type = CONF_MAP, .off = F(s), .sub = intake_opts,
	  .help = "Limits of reading from Microsoft." },
	{ .name = "proxy", .type = CONF_MAP, .off = F(s.proxy), .sub = proxy_opts,
	  .help = "The HTTP proxy that Microsoft is reached through, for apps that say nothing "
	      "else. Proxies of the environment (`https_proxy` and its like) are not used." },
	{ .name = "mssp", .type = CONF_MAP, .off = F(s.mssp), .sub = mssp_opts,
	  .help = "Who you are, for the checklists of `msspctl onboard`." },
	{ .name = "health", .type = CONF_MAP, .off = F(s), .sub = health_opts,
	  .help = "When sinks are told how tenants, sinks and msspd itself are doing." },
	{ .name = "http", .type = CONF_MAP, .off = F(s), .sub = http_opts,
	  .help = "Where the status page, metrics for Prometheus and health checks are served; see "
	      "docs/OPERATIONS.md." },
	{ .name = "defaults", .type = CONF_MAP, .off = F(defaults), .sub = defaults_opts,
	  .help = "What holds for every tenant that does not say otherwise." },
	{ .name = "apps", .type = CONF_TREE, .off = F(apps), .sub = app_opts,
	  .help = "App registrations in Microsoft Entra, by name; one for each national cloud." },
	{ .name = "customers", .type = CONF_TREE, .off = F(customers), .sub = customer_opts,
	  .help = "Customers by name. Without one a tenant is its own customer." },
	{ .name = "tenants", .type = CONF_TREE, .off = F(tenants), .sub = tenant_opts,
	  .help = "The customers' tenants by name." },
	{ .name = "sinks", .type = CONF_TREE, .off = F(sinks), .sub = sink_opts,
	  .help = "Where alerts go, by name." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct app_draft, field)
const struct conf_opt app_opts[] = {
	{ .name = "cloud", .type = CONF_CHOICE, .off = F(app.cloud), .def = "global",
	  .choices = cloud_names, .check = check_cloud,
	  .help = "Microsoft's cloud that the tenants of this app are in. An app registration "
	      "serves one cloud only." },
	{ .name = "client_id", .type = CONF_STR, .off = F(app.client_id), .flags = CONF_REQUIRED,
	  .check = check_client_id,
	  .help = "Application (client) ID of the app registration, a GUID." },
	{ .name = "certificate_file", .type = CONF_LIST, .off = F(certificates), .min = 1,
	  .max = CREDENTIALS_MAX, .check = check_file_name,
	  .help = "Certificate (PEM) that is registered with the app; the safest way to sign in, "
	      "for its key never leaves this machine. A bare name is a file of "
	      "`$CREDENTIALS_DIRECTORY` (systemd), else an absolute path; it is read anew when it "
	      "changes. An app has at least one of certificate_file, federated_token_file and "
	      "secret_file. It may have all, and several certificates and secrets for the time "
	      "one is rolled over: the token comes first, then the certificates, then the "
	      "secrets, each in their order, and what worked last before all of them." },
	{ .name = "key_file", .type = CONF_SECRET, .off = F(keys), .min = 1, .max = CREDENTIALS_MAX,
	  .shown = "in `certificate_file`",
	  .help = "Private key (PEM, RSA of 2048 bits or more) of each certificate, in the same "
	      "order. Nobody but the owner and its group may be able to read it." },
	{ .name = "key_passphrase_file", .type = CONF_SECRET, .off = F(passphrases), .min = 1,
	  .max = CREDENTIALS_MAX,
	  .help = "File with the passphrase of the keys where they are encrypted: one for all, or "
	      "one for each in the same order." },
	{ .name = "signature", .type = CONF_CHOICE, .off = F(app.signature), .def = "ps256",
	  .choices = signatures,
	  .help = "How the key signs. rs256 is older, and goes with the certificate's SHA-1 "
	      "thumbprint; for services that do not know ps256." },
	{ .name = "federated_token_file", .type = CONF_STR, .off = F(federated),
	  .check = check_file_name,
	  .help = "File with a token (JWT) of another issuer that a federated credential of the "
	      "app trusts, like the service account token that Kubernetes projects. Whoever "
	      "writes it renews it; it is read at each use." },
	{ .name = "secret_file", .type = CONF_SECRET, .off = F(secrets), .min = 1,
	  .max = CREDENTIALS_MAX,
	  .help = "File with the client secret (its value, not its ID). A bare name is a file of "
	      "`$CREDENTIALS_DIRECTORY` (systemd), else an absolute path. Several are tried in "
	      "their order, for the time a secret is rolled over. Nobody but the owner and its "
	      "group may be able to read it." },
	{ .name = "secret_expires", .type = CONF_LIST, .off = F(secret_ends), .min = 1,
	  .max = CREDENTIALS_MAX, .check = check_date,
	  .help = "The day on which each secret expires (2027-03-01), in the same order: "
	      "Microsoft tells it when the secret is made, and never again. msspd warns 30, 7 "
	      "and 1 days ahead, as it does for certificates by themselves." },
	{ .name = "login_url", .type = CONF_STR, .off = F(app.login_url), .check = check_service_url,
	  .shown = "by cloud",
	  .help = "With `cloud: custom` only, and required there: the base of the token endpoint. "
	      "Plain http is accepted for a loopback address only." },
	{ .name = "graph_url", .type = CONF_STR, .off = F(app.graph_url), .check = check_service_url,
	  .shown = "by cloud",
	  .help = "With `cloud: custom` only, and required there: the base of Microsoft Graph." },
	{ .name = "mde_url", .type = CONF_STR, .off = F(app.mde_url), .check = check_service_url,
	  .shown = "by cloud",
	  .help = "With `cloud: custom` only: the base of Defender for Endpoint's API, needed for the "
	      "stream mde-alerts." },
	{ .name = "mde_region", .type = CONF_CHOICE, .off = F(app.mde_region), .def = "any",
	  .choices = mde_region_names,
	  .help = "With `cloud: global` only: the region whose server of Defender for Endpoint's API is "
	      "asked; nearer ones answer sooner." },
	{ .name = "portal_url", .type = CONF_STR, .off = F(app.portal_url), .check = check_portal_url,
	  .shown = "by cloud",
	  .help = "With `cloud: custom` only: the Defender portal that links lead to; "
	      "https://security.microsoft.com where it is not given." },
	{ .name = "redirect_uri", .type = CONF_STR, .off = F(app.redirect_uri), .check = check_redirect,
	  .shown = "the one that is registered",
	  .help = "Where Microsoft sends an administrator who has consented; in the link of "
	      "`msspctl consent-url`. It must be one of the app registration's." },
	{ .name = "ca_file", .type = CONF_STR, .off = F(app.ca_file), .check = conf_check_absolute,
	  .shown = "the system's",
	  .help = "Certificate authorities (PEM) to trust for login and Graph instead of the "
	      "system's, where a proxy inspects TLS." },
	{ .name = "proxy", .type = CONF_MAP, .off = F(app.proxy), .sub = proxy_opts,
	  .shown = "the `proxy` for all",
	  .help = "The HTTP proxy that this app's tenants are read through; it stands as a whole "
	      "for the one for all, and `proxy: {url: none}` says directly." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct customer_draft, field)
const struct conf_opt customer_opts[] = {
	{ .name = "name", .type = CONF_STR, .off = F(customer.display_name), .shown = "its key",
	  .help = "The customer's name for people." },
	{ .name = "labels", .type = CONF_PAIRS, .off = F(labels),
	  .help = "Free names and texts; for match, require_labels and {label.NAME} in "
	      "templates." },
	{ .name = "time_zone", .type = CONF_STR, .off = F(customer.time_zone), .shown = "UTC",
	  .check = check_zone,
	  .help = "IANA name of the customer's time zone, like Europe/Berlin." },
	{ .name = "contacts", .type = CONF_TREE, .off = F(contacts), .shown = "none",
	  .help = "Groups of the customer's people by names of yours, each with one or several mail "
	      "addresses: `{oncall: [soc@contoso.example]}`. Rules of mail sinks name them as "
	      "`{contacts.oncall}`." },
	{ .name = "access_expires", .type = CONF_DATE, .off = F(customer.access_expires),
	  .help = "The day on which your people's access to the customer's portal ends. The log "
	      "warns 30, 7 and 1 days ahead." },
	{ .name = "sinks", .type = CONF_LIST, .off = F(sinks), .shown = "as in `defaults`",
	  .help = "Sinks of the customer's tenants that have none of their own." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct tenant_draft, field)
const struct conf_opt tenant_opts[] = {
	{ .name = "id", .type = CONF_STR, .off = F(tenant.id), .flags = CONF_REQUIRED,
	  .check = check_tenant_id,
	  .help = "The tenant's ID in Microsoft Entra, a GUID." },
	{ .name = "domain", .type = CONF_STR, .off = F(tenant.domain), .check = check_domain,
	  .help = "A domain that the tenant has verified, like contoso.onmicrosoft.com; for the My "
	      "Access link of `msspctl onboard`." },
	{ .name = "app", .type = CONF_STR, .off = F(app), .shown = "as in `defaults`",
	  .help = "App registration to read it with." },
	{ .name = "customer", .type = CONF_STR, .off = F(customer), .shown = "its own",
	  .help = "Customer that it belongs to." },
	{ .name = "sinks", .type = CONF_LIST, .off = F(sinks),
	  .shown = "the customer's, else as in `defaults`",
	  .help = "Where its alerts go. `[]` says: nowhere, and that is meant." },
	{ .name = "streams", .type = CONF_LIST, .off = F(streams), .min = 1, .max = 8,
	  .check = check_stream, .shown = "as in `defaults`",
	  .help = "What is read from it." },
	{ .name = "poll_interval", .type = CONF_TIME, .off = F(tenant.poll_interval_ms),
	  .min = SECOND, .max = DAY, .shown = "as in `defaults`",
	  .help = "It is asked for news this often." },
	{ .name = "overlap", .type = CONF_TIME, .off = F(tenant.overlap_ms), .min = 0, .max = DAY,
	  .shown = "as in `defaults`",
	  .help = "See `defaults`." },
	{ .name = "first_lookback", .type = CONF_TIME, .off = F(tenant.first_lookback_ms),
	  .min = 0, .max = 180 * DAY, .shown = "as in `defaults`",
	  .help = "How far back the first read of this tenant begins." },
	{ .name = "page_size", .type = CONF_INT, .off = F(tenant.page_size), .min = 1, .max = 1000,
	  .shown = "as in `defaults`",
	  .help = "Alerts asked for at once ($top)." },
	{ .name = "budget", .type = CONF_INT, .off = F(tenant.budget_per_min), .min = 1,
	  .max = 10000, .shown = "as in `defaults`",
	  .help = "Requests a minute, at most." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct sink_backlog, field)
static const struct conf_opt backlog_opts[] = {
	{ .name = "size", .type = CONF_SIZE, .off = F(size), .min = 8 * MIB, .max = 16384 * GIB,
	  .shown = "a quarter of `journal.max_size`",
	  .help = "A sink for which more than this waits is parked: it keeps the oldest entries, the "
	      "others are let go, and when it has taken those it keeps, the time it missed is read "
	      "from Microsoft again. Other sinks and polling go on meanwhile." },
	{ .name = "age", .type = CONF_TIME, .off = F(age_ms), .min = MINUTE, .max = 150 * DAY,
	  .shown = "any",
	  .help = "Likewise when the oldest entry waits longer than this. Microsoft keeps alerts for "
	      "180 days by default; what is older cannot be read again." },
	{ .name = "when_full", .type = CONF_CHOICE, .off = F(when_full), .def = "park",
	  .choices = when_fulls,
	  .help = "`pause`: nothing is let go; instead the tenants that are routed to this sink are not "
	      "polled until it has taken half of it, so that no state of an alert between is missed "
	      "here, and other sinks of these tenants wait, too." },
	{ .name = NULL }
};
#undef F

#define F(field) offsetof(struct sink_draft, field)
const struct conf_opt sink_opts[] = {
	{ .name = "type", .type = CONF_STR, .off = F(type), .flags = CONF_REQUIRED,
	  .help = "Kind of sink; the options of each are below." },
	{ .name = "only", .type = CONF_LIST, .off = F(sink.only), .shown = "every customer",
	  .min = 1,
	  .help = "Customers whose alerts may come here (a tenant without one counts as its own). "
	      "Routing anything else here is an error, so that no slip shows one customer's alerts "
	      "to another." },
	{ .name = "require_labels", .type = CONF_PAIRS, .off = F(require_labels),
	  .help = "Labels that a customer must have for its alerts to come here. Routing anything "
	      "else here is an error." },
	{ .name = "health", .type = CONF_CHOICE, .off = F(sink.health), .def = "tenants",
	  .choices = sink_healths,
	  .help = "Health records that come here: of the tenants routed here, or with `daemon` also "
	      "those of msspd itself (sinks, the journal, outages of many tenants). `match` with "
	      "`events` that leave health out keeps both away." },
	{ .name = "match", .type = CONF_TREE, .off = F(match), .sub = match_opts,
	  .shown = "everything",
	  .help = "Which of the alerts routed here are sent; see the section on match." },
	{ .name = "from", .type = CONF_STR, .off = F(sink.from), .check = check_moment,
	  .shown = "now",
	  .help = "What a sink gets that msspd has not known before: `now`, what comes from now on; "
	      "`7d`, also what came in the last seven days; `2026-11-01` or an RFC 3339 time, since "
	      "then; at most 180 days. It is read from Microsoft again and marked as replay. Mail sinks "
	      "begin now; their `from` is the sender." },
	{ .name = "canary", .type = CONF_TIME, .off = F(sink.canary_ms), .min = SECOND, .max = DAY,
	  .shown = "none",
	  .help = "How often a record that says nothing goes the whole way to this sink, so that it shows "
	      "that the way is open when there are no alerts. It comes whatever `match` and routing say; "
	      "receivers tell it by its class (docs/SINKS.md). A mail sink also needs a rule whose `events` "
	      "have `canary`." },
	{ .name = "canary_within", .type = CONF_TIME, .off = F(sink.canary_within_ms), .def = "5m",
	  .min = SECOND, .max = DAY,
	  .help = "When a canary is not accepted so long after it was made, that is an alarm: log, status, "
	      "metric, and a health record to sinks with `health: daemon`; and so is its end." },
	{ .name = "backlog", .type = CONF_MAP, .off = F(sink.backlog), .sub = backlog_opts,
	  .help = "How much may wait for this sink." },
	{ .name = NULL }
};
#undef F
