/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "settings_case.h"

/*
 * Everything a configuration can be told, each line as the operator sees it.
 * In the cases that begin with BASE the text of their own begins on line 3.
 */
#define APPS   "apps: {soc: {client_id: " GUID(9) ", secret_file: /s}}\n"
#define BASE   APPS "sinks: {siem: {type: fake}, lake: {type: fake}}\n"
#define DEF    "defaults: {app: soc, sinks: [siem, lake]}\n"
#define TENANT "tenants: {a: {id: " GUID(1) "}}\n"
#define APP(text) "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n" \
	"sinks: {s: {type: fake}}\n"                                     \
	"apps: {x: {client_id: " GUID(9) ", secret_file: /s, " text "}}\n"
#define SINK(text) APPS "defaults: {app: soc, sinks: s}\n" TENANT "sinks: {s: {" text "}}\n"
#define MATCH(text) SINK("type: fake, match: {" text "}")

static const struct {
	const char *says, *text, *want;
} cases[] = {
	/* the file */
	{ "an empty file", "", "m.yaml: is empty; write at least one option, or remove the file\n" },
	{ "no YAML", "a: [", "m.yaml:2:1: not YAML: flow sequence" },
	{ "a list", "[a]", "m.yaml:1:1: not a mapping; write options as key: value\n" },
	{ "no tenants is only odd", BASE,
	  "warning m.yaml:1:1: there are no tenants; nothing will be read\n"
	  "warning m.yaml:1:8: apps.soc: no tenant uses this app; " },
	/* the top level */
	{ "an unknown section", BASE DEF TENANT "sink: {}\n",
	  "m.yaml:5:1: sink: unknown option; did you mean sinks?\n" },
	{ "an option of defaults", BASE DEF TENANT "poll_interval: 5m\n",
	  "m.yaml:5:1: poll_interval: unknown option here; it belongs below defaults\n" },
	{ "a key of match", SINK("type: fake, severity: high"),
	  "m.yaml:4:25: sinks.s.severity: unknown option here; it belongs below match\n" },
	{ "a section of a later version", BASE DEF TENANT "cluster: {listen: x}\n",
	  "m.yaml:5:1: cluster: unknown option; here may be: state_dir, " },
	{ "a section without content", BASE DEF TENANT "customers:\n",
	  "m.yaml:5:1: customers: has no value; write one, or leave the option out\n" },
	{ "a section that is a list", BASE DEF "tenants: [a]\n",
	  "m.yaml:4:10: tenants: a list; write a mapping: a name, then its options below it\n" },
	{ "a relative state_dir", BASE DEF TENANT "state_dir: x\n",
	  "m.yaml:5:12: state_dir: \"x\" is not an absolute path; begin it with /\n" },
	{ "a socket name past what sockets take", BASE DEF TENANT
	  "control_socket: /12345678901234567890123456789012345678901234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890\n",
	  "m.yaml:5:1: control_socket: /1234" },
	{ "a log level", BASE DEF TENANT "log_level: warning\n",
	  "m.yaml:5:12: log_level: \"warning\" is unknown; did you mean warn? It may be error, warn, info "
	  "or debug\n" },
	{ "journal.max_size in a wrong unit", BASE DEF TENANT "journal: {max_size: 8GB}\n",
	  "m.yaml:5:21: journal.max_size: \"8GB\" is not a size; write a number with KiB, MiB, GiB or TiB: "
	  "64KiB, 8GiB\n" },
	{ "journal.max_size too small", BASE DEF TENANT "journal: {max_size: 1MiB}\n",
	  "m.yaml:5:21: journal.max_size: 1MiB is out of range; it may be 16MiB to 16TiB\n" },
	{ "a cap that is less than the polls", BASE DEF
	  "tenants: {a: {id: " GUID(1) ", poll_interval: 2s}}\nintake: {requests_per_minute: 29}\n",
	  "warning m.yaml:5:10: intake.requests_per_minute: the tenants alone are to be polled 30 times a "
	  "minute, so that all will be late; raise it, or poll_interval\n" },
	{ "intake without a mapping", BASE DEF TENANT "intake: 5\n",
	  "m.yaml:5:9: intake: a text; write a mapping: {max_requests: ...}\n" },
	{ "the same section twice in a file", BASE DEF TENANT "defaults: {}\n",
	  "m.yaml:5:1: defaults: given twice, first at m.yaml:3:1; keep one of them\n" },
	/* names */
	{ "a name with a blank", BASE DEF "tenants: {'a b': {id: " GUID(1) "}}\n",
	  "m.yaml:4:11: tenants.a b: is no name for a tenant; use letters, digits, - _ and . only, at "
	  "most 64, beginning with a letter or digit\n" },
	{ "a name that begins with a dot", BASE DEF "tenants: {.a: {id: " GUID(1) "}}\n",
	  "m.yaml:4:11: tenants..a: is no name for a tenant" },
	{ "a name of 65 characters", BASE DEF "tenants: {a1234567890123456789012345678901234567890123456"
	  "789012345678901234: {id: " GUID(1) "}}\n", "m.yaml:4:11: tenants.a12345678901234567890123456"
	  "78901234567890123456789012345678901234: is no name for a tenant" },
	{ "a name twice", BASE DEF "tenants: {a: {id: " GUID(1) "}, a: {id: " GUID(2) "}}\n",
	  "m.yaml:4:58: tenants.a: given twice, first at m.yaml:4:11; keep one of them\n" },
	{ "names that differ in case only", BASE DEF "tenants: {a: {id: " GUID(1) "}, A: {id: " GUID(2)
	  "}}\n", "m.yaml:4:11: tenants.a: differs from A (m.yaml:4) only in upper and lower case; choose "
	  "another name\n" },
	/* apps */
	{ "an app without its ID", "apps: {x: {secret_file: /s}}\n" "sinks: {s: {type: fake}}\n"
	  "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n",
	  "m.yaml:1:8: apps.x.client_id: is missing; Application (client) ID of the app registration, a "
	  "GUID.\n" },
	{ "an app without a secret", "apps: {x: {client_id: " GUID(9) "}}\n" "sinks: {s: {type: fake}}\n"
	  "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n",
	  "m.yaml:1:8: apps.x: has no way to sign in; write certificate_file with key_file, "
	  "federated_token_file, or secret_file\n" },
	{ "more keys than certificates", APP("certificate_file: /c, key_file: [/k, /l]"),
	  "m.yaml:3:110: apps.x.key_file: lists 2 and certificate_file lists 1; " },
	{ "keys without certificates", APP("key_file: /k"),
	  "m.yaml:3:88: apps.x.key_file: lists 1 and certificate_file lists 0; " },
	{ "a passphrase without certificates", APP("key_passphrase_file: /k"),
	  "m.yaml:3:99: apps.x.key_passphrase_file: lists 1 and certificate_file lists 0; " },
	{ "two passphrases for three keys", APP("certificate_file: [/a, /b, /c], key_file: [/d, /e, /f], "
	  "key_passphrase_file: [/g, /h]"),
	  "m.yaml:3:155: apps.x.key_passphrase_file: lists 2 and certificate_file lists 3; " },
	{ "fewer dates than secrets", "apps: {x: {client_id: " GUID(9) ", secret_file: [/s, /t], "
	  "secret_expires: 2027-03-01}}\n" "sinks: {s: {type: fake}}\n"
	  "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n",
	  "m.yaml:1:100: apps.x.secret_expires: lists 1 and secret_file lists 2; " },
	{ "a date that is none", APP("secret_expires: 2027-02-29"),
	  "m.yaml:3:94: apps.x.secret_expires: \"2027-02-29\" is not a date; write year, month and day: "
	  "2027-03-01\n" },
	{ "a relative certificate", APP("certificate_file: certs/x.pem"),
	  "m.yaml:3:96: apps.x.certificate_file: \"certs/x.pem\" is neither a bare name nor an absolute path; begin "
	  "it with /\n" },
	{ "a signature nobody knows", APP("signature: hs256"),
	  "m.yaml:3:89: apps.x.signature: \"hs256\" is unknown; " },
	{ "a secret's ID or name for client_id", "apps: {x: {client_id: my-app, secret_file: /s}}\n"
	  "sinks: {s: {type: fake}}\n" "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n",
	  "m.yaml:1:23: apps.x.client_id: \"my-app\" is not a GUID; write the app registration's "
	  "Application (client) ID\n" },
	{ "a relative secret file", "apps: {x: {client_id: " GUID(9) ", secret_file: ../s}}\n"
	  "sinks: {s: {type: fake}}\n" "tenants: {a: {id: " GUID(1) ", app: x, sinks: s}}\n",
	  "m.yaml:1:74: apps.x.secret_file: \"../s\" is neither a bare name nor an absolute path; begin it "
	  "with /\n" },
	{ "a secret in the file", APP("client_secret: hunter2"),
	  "m.yaml:3:78: apps.x.client_secret: unknown option; here may be: cloud, client_id, "
	  "certificate_file, key_file, key_passphrase_file, signature, federated_token_file, secret_file, "
	  "secret_expires, login_url, graph_url, mde_url, mde_region, portal_url, redirect_uri, ca_file, proxy\n" },
	{ "a cloud that does not exist", APP("cloud: gcchigh"),
	  "m.yaml:3:85: apps.x.cloud: \"gcchigh\" is unknown; did you mean gcc-high? It may be global, gcc, "
	  "gcc-high, dod or custom\n" },
	{ "China, with the reason", APP("cloud: china"),
	  "m.yaml:3:85: apps.x.cloud: Microsoft does not offer the Defender alerts API in its China cloud; "
	  "use global, gcc, gcc-high, dod or custom\n" },
	{ "a cloud of France, with the reason", APP("cloud: bleu"),
	  "m.yaml:3:85: apps.x.cloud: Microsoft does not offer the Defender alerts API in the French cloud "
	  "Bleu; use global, " },
	{ "a URL without custom", APP("graph_url: 'https://h'"),
	  "m.yaml:3:78: apps.x.graph_url: is for cloud: custom; leave it out, each other cloud has its "
	  "own\n" },
	{ "custom without URLs", APP("cloud: custom"),
	  "m.yaml:3:8: apps.x.login_url: is missing; cloud: custom needs it\n"
	  "m.yaml:3:8: apps.x.graph_url: is missing; cloud: custom needs it\n" },
	{ "a region of another cloud", APP("cloud: gcc, mde_region: eu"),
	  "m.yaml:3:90: apps.x.mde_region: is for cloud: global; leave it out, no other cloud has "
	  "regions\n" },
	{ "a region that there is not", APP("mde_region: fr"),
	  "m.yaml:3:90: apps.x.mde_region: \"fr\" is unknown; it may be any, us, eu, uk, au or swa\n" },
	{ "the endpoint API's place of a real cloud", APP("mde_url: 'https://h'"),
	  "m.yaml:3:78: apps.x.mde_url: is for cloud: custom; " },
	{ "mde-alerts in a custom cloud that does not say where", "tenants: {a: {id: " GUID(1)
	  ", app: x, sinks: s, streams: [mde-alerts]}}\n" "sinks: {s: {type: fake}}\n"
	  "apps: {x: {client_id: " GUID(9) ", secret_file: /s, cloud: custom, login_url: 'https://l', "
	  "graph_url: 'https://g'}}\n",
	  "m.yaml:1:11: tenants.a: reads mde-alerts, and its app x does not say where; give the app an "
	  "mde_url\n" },
	{ "http to elsewhere", APP("cloud: custom, login_url: 'http://h', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"http://h\" would send tokens in the clear; write https (http is "
	  "for 127.0.0.1, [::1] and localhost only)\n" },
	{ "http to a name that begins like loopback", APP("cloud: custom, login_url: 'http://127.0.0.1.x',"
	  " graph_url: 'https://h'"), "m.yaml:3:104: apps.x.login_url: \"http://127.0.0.1.x\" would" },
	{ "http to an address written oddly", APP("cloud: custom, login_url: 'http://127.1',"
	  " graph_url: 'https://h'"), "m.yaml:3:104: apps.x.login_url: \"http://127.1\" would" },
	{ "another scheme", APP("cloud: custom, login_url: 'ftp://h', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"ftp://h\" is not usable: it does not begin with https://; write "
	  "https://host or https://host:port\n" },
	{ "no host", APP("cloud: custom, login_url: 'https://', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"https://\" is not usable: its host or port is not one; " },
	{ "a password in a URL", APP("cloud: custom, login_url: 'https://u:p@h', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"https://u:p@h\" is not usable: a user name or password has no "
	  "place in it; " },
	{ "a query in a URL", APP("cloud: custom, login_url: 'https://h/?a', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"https://h/?a\" is not usable: a query (?) or fragment (#) has "
	  "no place in it; " },
	{ "a port past the last", APP("cloud: custom, login_url: 'https://h:65536', graph_url: 'https://h'"),
	  "m.yaml:3:104: apps.x.login_url: \"https://h:65536\" is not usable: its host or port is not one; " },
	{ "a portal with a path", APP("cloud: custom, login_url: 'https://h', graph_url: 'https://h', "
	  "portal_url: 'https://h/x'"),
	  "m.yaml:3:153: apps.x.portal_url: \"https://h/x\" is not a portal; write https://host\n" },
	/* defaults */
	{ "an unknown app", BASE "defaults: {app: sock, sinks: siem}\n" TENANT,
	  "m.yaml:3:17: defaults.app: there is no app \"sock\"; did you mean soc?\n" },
	{ "an unknown sink, said once and where it is", BASE "defaults: {app: soc, sinks: [siem, laek]}\n"
	  "tenants: {a: {id: " GUID(1) "}, b: {id: " GUID(2) "}}\n",
	  "m.yaml:3:36: defaults.sinks[1]: there is no sink \"laek\"; did you mean lake?\n" },
	{ "a sink twice", BASE "defaults: {app: soc, sinks: [siem, lake, siem]}\n" TENANT,
	  "m.yaml:3:42: defaults.sinks[2]: \"siem\" is there twice; leave one out\n" },
	{ "a stream that there is not", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "secure-scores]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"secure-scores\" is not a stream; the streams are: alerts, "
	  "incidents, mde-alerts\n" },
	{ "the SIEM API", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "siem-api]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"siem-api\" is the SIEM API, which Microsoft has "
	  "retired; write alerts, which has its alerts and those of all other Defender products\n" },
	{ "the same by its host", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "wdatp-alertexporter]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"wdatp-alertexporter\" is the SIEM API, which "
	  "Microsoft has retired; write alerts" },
	{ "legacy alerts", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "legacy-alerts]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"legacy-alerts\" is the legacy alerts API of Graph, "
	  "which Microsoft has retired; write alerts" },
	{ "and by their version", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "alerts_v1]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"alerts_v1\" is the legacy alerts API of Graph, "
	  "which Microsoft has retired; write alerts" },
	{ "Graph's name for alerts", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "alerts_v2]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"alerts_v2\" is what is called alerts here; write "
	  "alerts\n" },
	{ "the older incidents", BASE "defaults: {app: soc, sinks: siem, streams: [alerts, "
	  "xdr-incidents]}\n" TENANT, "m.yaml:3:53: defaults.streams[1]: \"xdr-incidents\" is the older incidents API of Defender "
	  "XDR, which Microsoft replaces by Graph's; write incidents\n" },
	{ "no stream", BASE "defaults: {app: soc, sinks: siem, streams: []}\n" TENANT,
	  "m.yaml:3:44: defaults.streams: an empty list; give at least 1\n" },
	{ "too many alerts at once", BASE "defaults: {app: soc, sinks: siem, page_size: 2000}\n" TENANT,
	  "m.yaml:3:46: defaults.page_size: 2000 is out of range; it may be 1 to 1000\n" },
	{ "an interval without a unit", BASE "defaults: {app: soc, sinks: siem, poll_interval: 60}\n" TENANT,
	  "m.yaml:3:50: defaults.poll_interval: \"60\" is not a duration; " },
	/* customers */
	{ "a time zone that does not exist", BASE DEF "customers: {c: {time_zone: Europe/Nowhere}}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: c}}\n", "m.yaml:4:28: customers.c.time_zone: time zone Europe/Nowhere is not among those of " },
	{ "labels that are no mapping", BASE DEF "customers: {c: {labels: [gold]}}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: c}}\n",
	  "m.yaml:4:25: customers.c.labels: a list; write a mapping of name: text\n" },
	{ "a label that no template could name", BASE DEF "customers: {c: {labels: {'a}': b}}}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: c}}\n",
	  "m.yaml:4:26: customers.c.labels.a}: is no name for a label; use at most 64 characters and no "
	  "braces\n" },
	{ "an option of a later version", BASE DEF "customers: {c: {telephones: {}}}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: c}}\n",
	  "m.yaml:4:17: customers.c.telephones: unknown option; here may be: name, labels, time_zone, "
	  "contacts, "
	  "access_expires, sinks\n" },
	{ "a customer nobody is", BASE DEF TENANT "customers: {c: {}}\n",
	  "warning m.yaml:5:13: customers.c: no tenant uses this customer; remove it, or name it at its "
	  "tenants\n" },
	/* tenants */
	{ "no ID", BASE DEF "tenants: {a: {}}\n",
	  "m.yaml:4:11: tenants.a.id: is missing; The tenant's ID in Microsoft Entra, a GUID.\n" },
	{ "a domain for an ID", BASE DEF "tenants: {a: {id: contoso.com}}\n",
	  "m.yaml:4:19: tenants.a.id: \"contoso.com\" is a domain, which may move to another tenant; write "
	  "the tenant's GUID (Entra admin center, Overview, Tenant ID)\n" },
	{ "another text for an ID", BASE DEF "tenants: {a: {id: common}}\n",
	  "m.yaml:4:19: tenants.a.id: \"common\" is not a GUID; write the tenant's, like "
	  "11111111-2222-3333-4444-555555555555\n" },
	{ "nothing but a name", BASE DEF "tenants: {a: }\n",
	  "m.yaml:4:11: tenants.a: nothing; write a mapping of options\n" },
	{ "the same tenant twice", BASE DEF "tenants: {a: {id: " GUID(1) "}, b: {id: '" GUID(1) "'}}\n",
	  "m.yaml:4:66: tenants.b.id: is the same tenant as a (m.yaml:4); remove one of them\n" },
	{ "no app anywhere", BASE "defaults: {sinks: siem}\n" TENANT,
	  "m.yaml:4:11: tenants.a.app: is missing; name an app here or in defaults\n" },
	{ "an unknown customer", BASE DEF "customers: {contoso: {}}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: contso}}\n",
	  "m.yaml:5:67: tenants.a.customer: there is no customer \"contso\"; did you mean contoso?\n" },
	{ "an unknown customer like no other", BASE DEF "tenants: {a: {id: " GUID(1) ", customer: zz}}\n",
	  "m.yaml:4:67: tenants.a.customer: there is no customer \"zz\"; define it below customers, or name "
	  "another\n" },
	{ "a tenant that is its own customer, and a customer of its name", BASE DEF "customers: {a: {}}\n"
	  "tenants: {a: {id: " GUID(1) "}, b: {id: " GUID(2) ", customer: a}}\n",
	  "m.yaml:5:11: tenants.a: has no customer, yet there is a customer of the same name; write "
	  "customer: a, or rename one of them\n" },
	{ "an unknown option of a tenant", BASE DEF "tenants: {a: {id: " GUID(1) ", sink: x}}\n",
	  "m.yaml:4:57: tenants.a.sink: unknown option; did you mean sinks?\n" },
	{ "a look back past the memory", BASE DEF "journal: {remember: 8d}\n" "tenants: {a: {id: " GUID(1)
	  ", first_lookback: 9d}}\n", "warning m.yaml:5:11: tenants.a: first_lookback is longer than "
	  "journal.remember; older alerts that change will be taken for new ones\n" },
	/* sinks */
	{ "no type", SINK("host: h"),
	  "m.yaml:4:9: sinks.s.type: is missing; it says what kind of sink this is\n" },
	{ "an unknown type", SINK("type: fkae"), "m.yaml:4:19: sinks.s.type: there is no sink of type "
	  "\"fkae\"; did you mean fake? the types are: fake, other\n" },
	{ "a type that is a list", SINK("type: [fake]"),
	  "m.yaml:4:19: sinks.s.type: a list; write the kind of sink\n" },
	{ "an option of another kind", SINK("type: other, hots: h"),
	  "m.yaml:4:26: sinks.s.hots: unknown option; here may be: type, only, require_labels, health, "
	  "match, from, canary, canary_within, backlog, ca_file\n" },
	{ "health of a kind that nobody knows", SINK("type: fake, health: all"),
	  "m.yaml:4:33: sinks.s.health: \"all\" is unknown; it may be tenants or daemon\n" },
	{ "an option below an option of a kind", SINK("type: fake, tls: {ca_fil: x}"),
	  "m.yaml:4:31: sinks.s.tls.ca_fil: unknown option; did you mean ca_file?\n" },
	{ "what a kind itself finds", SINK("type: fake, host: nowhere"),
	  "m.yaml:4:9: sinks.s: there is no way to nowhere; take another\n" },
	{ "what a kind warns of", SINK("type: fake, host: udp"),
	  "warning m.yaml:4:9: sinks.s: udp promises nothing\n" },
	{ "a sink nobody uses", BASE "defaults: {app: soc, sinks: siem}\n" TENANT,
	  "warning m.yaml:2:29: sinks.lake: no tenant uses this sink; nothing is sent there; remove it, or "
	  "route a tenant to it\n" },
	{ "only for nobody", SINK("type: fake, only: []"),
	  "m.yaml:4:31: sinks.s.only: an empty list; give at least 1\n" },
	{ "only for an unknown customer", SINK("type: fake, only: [a, z]"),
	  "m.yaml:4:35: sinks.s.only[1]: there is no customer \"z\"; define it below customers, or name "
	  "another\n" },
	/* match */
	{ "an unknown severity", MATCH("severity: [high, critical]"),
	  "m.yaml:4:50: sinks.s.match.severity[1]: \"critical\" is unknown; it may be unknown, informational, "
	  "low, medium or high\n" },
	{ "an unknown event", MATCH("events: updatd"),
	  "m.yaml:4:41: sinks.s.match.events: \"updatd\" is unknown; did you mean updated? It may be new, "
	  "escalated, updated, resolved, reopened, health, canary or unreadable\n" },
	{ "an unknown change", MATCH("changes: [titel]"),
	  "m.yaml:4:43: sinks.s.match.changes[0]: \"titel\" is unknown; it may be severity, status, verdict, "
	  "assignee, incident, evidence, remediation, comment, other or significant\n" },
	{ "an unknown key", MATCH("severities: high"),
	  "m.yaml:4:33: sinks.s.match.severities: unknown option; did you mean severity?\n" },
	{ "an unknown tenant", MATCH("tenants: [b]"), "m.yaml:4:43: sinks.s.match.tenants[0]: there is no "
	  "tenant \"b\"; define it below tenants, or name another\n" },
	{ "an unknown customer", MATCH("not: {customers: [b]}"), "m.yaml:4:51: "
	  "sinks.s.match.not.customers[0]: there is no customer \"b\"; define it below customers, or name "
	  "another\n" },
	{ "a tenant where its customer must stand", APPS "defaults: {app: soc, sinks: s}\n"
	  "tenants: {a: {id: " GUID(1) ", customer: c}}\n" "customers: {c: {}}\n"
	  "sinks: {s: {type: fake, match: {customers: a}}}\n", "m.yaml:5:44: sinks.s.match.customers: "
	  "\"a\" is a tenant of customer c; name the customer\n" },
	{ "not, and then nothing", MATCH("not: {}"),
	  "m.yaml:4:38: sinks.s.match.not: an empty not lets nothing pass; leave it out\n" },
	{ "a match that is a text", SINK("type: fake, match: high"),
	  "m.yaml:4:32: sinks.s.match: a text; write a mapping of options\n" },
	/* routing */
	{ "no sink at all", BASE "defaults: {app: soc}\n" TENANT,
	  "m.yaml:4:11: tenants.a: reaches no sink; give it sinks here, at its customer or in defaults, or "
	  "write sinks: [] where that is meant\n" },
	{ "an empty list in defaults does not count", BASE "defaults: {app: soc, sinks: []}\n" TENANT,
	  "m.yaml:4:11: tenants.a: reaches no sink; " },
	{ "a foreign tenant on a sink of one customer's", APPS "defaults: {app: soc, sinks: s}\n"
	  "tenants: {a: {id: " GUID(1) "}, b: {id: " GUID(2) "}}\n" "sinks: {s: {type: fake, only: b}}\n",
	  "m.yaml:3:11: tenants.a: sink s is not for customer a (its only leaves it out); send this tenant "
	  "elsewhere, or add a to sinks.s.only\n" },
	{ "the same, where the tenant itself asks for it", APPS "defaults: {app: soc, sinks: s}\n"
	  "tenants: {a: {id: " GUID(1) ", sinks: [s], customer: c}, b: {id: " GUID(2) "}}\n"
	  "sinks: {s: {type: fake, only: b}}\ncustomers: {c: {}}\n", "m.yaml:3:64: tenants.a.sinks: sink s "
	  "is not for customer c (its only leaves it out); send this tenant elsewhere, or add c to "
	  "sinks.s.only\n" },
	{ "a label that is missing", APPS "defaults: {app: soc, sinks: s}\n" "customers: {c: {labels: "
	  "{tier: silver}}}\n" "tenants: {a: {id: " GUID(1) ", customer: c}}\n"
	  "sinks: {s: {type: fake, require_labels: {tier: gold}}}\n", "m.yaml:4:11: tenants.a: sink s "
	  "requires the label tier: gold, which customer c does not have; send this tenant elsewhere, or "
	  "give the customer that label\n" },
	{ "a label, and no customer to have it", SINK("type: fake, require_labels: {tier: gold}"),
	  "m.yaml:3:11: tenants.a: sink s requires the label tier: gold, which this tenant, without a "
	  "customer, does not have; send this tenant elsewhere, or give it a customer with that label\n" },
	/* all of it at once */
	{ "everything at once", "log_level: loud\n" BASE "defaults: {app: socc, sinks: siem}\n"
	  "tenants: {a: {id: x}, b: {id: " GUID(2) ", sinks: lak}}\n",
	  "m.yaml:1:12: log_level: \"loud\" is unknown; it may be error, warn, info or debug\n"
	  "m.yaml:4:17: defaults.app: there is no app \"socc\"; did you mean soc?\n"
	  "m.yaml:5:19: tenants.a.id: \"x\" is not a GUID; write the tenant's, like "
	  "11111111-2222-3333-4444-555555555555\n"
	  "m.yaml:5:76: tenants.b.sinks: there is no sink \"lak\"; did you mean lake?\n" },
};

/* want may leave out the end of the last line. */
START_TEST(test_case)
{
	struct settings_case c;
	struct settings *s;
	size_t n = strlen(cases[_i].want), lines = 0, wanted = 0;
	bool is_warning = str_starts(str_of(cases[_i].want), "warning ");

	case_open(&c);
	case_write(&c, "m.yaml", cases[_i].text);
	s = case_load(&c, false);
	for (size_t i = 0; i < c.said.n; i++)
		lines += c.said.p[i] == '\n';
	for (size_t i = 0; i < n; i++)
		wanted += cases[_i].want[i] == '\n';
	wanted += cases[_i].want[n - 1] != '\n';
	ck_assert_msg(strncmp(c.said.p, cases[_i].want, n) == 0
	    && (lines == wanted || (is_warning && lines > wanted)), "%s:\n got %s\nwant %s",
	    cases[_i].says, c.said.p, cases[_i].want);
	ck_assert_msg((s != NULL) == is_warning, "%s: warnings alone are no error", cases[_i].says);
	settings_unref(s);
	case_close(&c);
}
END_TEST

START_TEST(test_unwatched)
{
	const char *const health[] = { "tenants", "daemon" };
	struct settings_case c;
	struct settings *s;
	char text[600];

	case_open(&c);
	snprintf(text, sizeof(text), SINK("type: fake, health: %s"), health[_i]);
	case_write(&c, "m.yaml", text);
	s = case_load(&c, false);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(s->sinks[0].health, _i);
	ck_assert_uint_eq(c.unwatched, _i == 0);
	settings_unref(s);
	case_close(&c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("settings_errors");
	TCase *tc = tcase_create("errors");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_unwatched, 0, 2);
	tcase_add_loop_test(tc, test_case, 0, ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
