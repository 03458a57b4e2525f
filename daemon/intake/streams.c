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

const struct stream_kind stream_kinds[STREAM_COUNT] = {
	[STREAM_ALERTS] = { .name = "alerts",
	    .api = API_GRAPH,
	    .path = "alerts_v2",
	    .time_field = "lastUpdateDateTime",
	    .page_max = 1000,
	    .items = "alerts",
	    .may = TOKEN_MAY_ALERTS,
	    .role = "SecurityAlert.Read.All",
	    .read = record_from_alert },
};

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
