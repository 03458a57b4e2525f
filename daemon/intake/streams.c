/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/streams.h"

const struct api_kind api_kinds[API_COUNT] = {
	[API_GRAPH] = { .name = "Microsoft Graph",
	    .root = "/v1.0/security/",
	    .prefer = "include-unknown-enum-members" },
	[API_MDE] = { .name = "Defender for Endpoint",
	    .root = "/api/",
	    .most_per_min = 100,
	    .per_hour = 1500 },
};

#define READERS(prefix) \
	.live = prefix "live", .hour = prefix "sweep-hour", .day = prefix "sweep-day"

const struct stream_kind stream_kinds[STREAM_COUNT] = {
	[STREAM_ALERTS] = { .name = "alerts",
	    .api = API_GRAPH,
	    .path = "alerts_v2",
	    .more = "",
	    .memory = STREAM_ALERTS,
	    READERS(""),
	    .time_field = "lastUpdateDateTime",
	    .created_field = "createdDateTime",
	    .page_max = 1000,
	    .items = "alerts",
	    .may = TOKEN_MAY_ALERTS,
	    .role = "SecurityAlert.Read.All",
	    .read = record_from_alert },
	[STREAM_INCIDENTS] = { .name = "incidents",
	    .api = API_GRAPH,
	    .path = "incidents",
	    .more = "",
	    .memory = STREAM_INCIDENTS,
	    READERS(""),
	    .time_field = "lastUpdateDateTime",
	    .created_field = "createdDateTime",
	    .page_max = 50,
	    .items = "incidents",
	    .may = TOKEN_MAY_INCIDENTS,
	    .role = "SecurityIncident.Read.All",
	    .read = record_from_incident },
	/* An endpoint alert has the same id in both APIs: one memory, and nothing is told twice. */
	[STREAM_MDE_ALERTS] = { .name = "mde-alerts",
	    .api = API_MDE,
	    .path = "alerts",
	    .more = "&$expand=evidence",
	    .memory = STREAM_ALERTS,
	    READERS("mde-"),
	    .waits = true,
	    .time_field = "lastUpdateTime",
	    .created_field = "alertCreationTime",
	    .page_max = 1000,
	    .is_by_skip = true,
	    .items = "alerts",
	    .may = TOKEN_MAY_MDE_ALERTS,
	    .role = "Alert.Read.All",
	    .read = record_from_mde },
};

static const char siem[] =
    "the SIEM API, which Microsoft has retired; write alerts, which has its alerts and those of "
    "all other Defender products";
static const char legacy[] =
    "the legacy alerts API of Graph, which Microsoft has retired; write alerts, which are Graph's "
    "alerts_v2";
static const char xdr[] =
    "the older incidents API of Defender XDR, which Microsoft replaces by Graph's; write incidents";

/* Compared without case, and without what is no letter or digit. */
static const struct {
	const char *name, *instead;
} others[] = {
	{ "siem", siem },
	{ "siemapi", siem },
	{ "siemalerts", siem },
	{ "wdatpalertexporter", siem },
	{ "alertexporter", siem },
	{ "detections", siem },
	{ "alertsv1", legacy },
	{ "legacyalerts", legacy },
	{ "alertslegacy", legacy },
	{ "graphlegacy", legacy },
	{ "securityalerts", legacy },
	{ "alertsv2", "what is called alerts here; write alerts" },
	{ "graphalerts", "what is called alerts here; write alerts" },
	{ "xdrincidents", xdr },
	{ "mtpincidents", xdr },
	{ "mde", "what is called mde-alerts here; write mde-alerts" },
	{ "mdealert", "what is called mde-alerts here; write mde-alerts" },
};

/* Room for the longest of them and one more, so that no longer one is like it. */
static void
plain_name(char out[20], const char *name)
{
	size_t n = 0;

	for (; *name != '\0' && n < 19; name++) {
		if (*name >= 'A' && *name <= 'Z')
			out[n++] = (char)(*name - 'A' + 'a');
		else if ((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9'))
			out[n++] = *name;
	}
	out[n] = '\0';
}

const char *
stream_instead(const char *name)
{
	char plain[20];

	plain_name(plain, name);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (strcmp(plain, others[i].name) == 0)
			return others[i].instead;
	}
	return NULL;
}

const struct stream_kind *
stream_find(const char *name)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (strcmp(stream_kinds[i].name, name) == 0)
			return &stream_kinds[i];
	}
	return NULL;
}

enum stream
stream_number(const struct stream_kind *kind)
{
	return (enum stream)(kind - stream_kinds);
}

const char *
api_url(const struct app *app, enum api api)
{
	return api == API_MDE ? app->mde_url : app->graph_url;
}
