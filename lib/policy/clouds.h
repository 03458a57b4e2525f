/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLOUDS_H
#define CLOUDS_H

/*
 * clouds: Microsoft's clouds, and where in each the sign-in service, the portal
 * and the APIs are. A table, and nothing else.
 *
 * A token is good for one API in one cloud: it is asked for with that API's
 * resource, and an app registration serves the tenants of its own cloud only.
 * GCC is the odd one: it signs in and reads Graph at the global hosts, but has a
 * Defender for Endpoint of its own.
 */
enum cloud { CLOUD_GLOBAL, CLOUD_GCC, CLOUD_GCC_HIGH, CLOUD_DOD, CLOUD_CUSTOM };

enum api { API_GRAPH, API_MDE };
#define API_COUNT (API_MDE + 1)

/* Bases of URLs, https, without a trailing slash. NULL: the configuration says it. */
struct cloud_hosts {
	const char *login, *portal;
	const char *api[API_COUNT];      /* what requests go to */
	const char *resource[API_COUNT]; /* whose tokens they carry: the scope less "/.default" */
	const char *entra, *my_access;   /* what administrators and analysts open */
	const char *multi_tenant;        /* one view of all tenants; NULL: not known here */
};
extern const struct cloud_hosts cloud_hosts[]; /* by enum cloud */
/* Where Defender for Endpoint answers sooner, in the global cloud; url NULL: the cloud's own. */
struct mde_region {
	const char *name, *url;
};
extern const struct mde_region mde_regions[];
extern const char *const mde_region_names[];   /* the same order, NULL-ended */
extern const char *const cloud_names[];        /* by enum cloud, NULL-ended */

#endif
