/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "lib/policy/clouds.h"

#define GRAPH     "https://graph.microsoft.com"
#define GRAPH_L4  "https://graph.microsoft.us"
#define GRAPH_L5  "https://dod-graph.microsoft.us"
#define MDE       "https://api.securitycenter.microsoft.com"
#define MDE_GCC   "https://api-gcc.securitycenter.microsoft.us"
#define MDE_GOV   "https://api-gov.securitycenter.microsoft.us"
#define LOGIN     "https://login.microsoftonline.com"
#define LOGIN_GOV "https://login.microsoftonline.us"
#define PORTAL    "https://security.microsoft.com"

#define ENTRA     "https://entra.microsoft.com"
#define ENTRA_GOV "https://entra.microsoft.us"
#define MY        "https://myaccess.microsoft.com"
#define MY_GOV    "https://myaccess.microsoft.us"

const char *const cloud_names[] = { "global", "gcc", "gcc-high", "dod", "custom", NULL };

/* Microsoft Learn: National cloud deployments; Microsoft Defender for Endpoint and
 * Microsoft Defender XDR for US Government customers;
 * Entitlement management: request access. */
const struct cloud_hosts cloud_hosts[] = {
	[CLOUD_GLOBAL] = { LOGIN, PORTAL, { GRAPH, MDE }, { GRAPH, MDE }, ENTRA, MY,
	    "https://mto.security.microsoft.com" },
	[CLOUD_GCC] = { LOGIN, PORTAL, { GRAPH, MDE_GCC }, { GRAPH, MDE_GCC }, ENTRA,
	    MY },
	[CLOUD_GCC_HIGH] = { LOGIN_GOV, "https://security.microsoft.us", { GRAPH_L4, MDE_GOV },
	    { GRAPH_L4, MDE_GOV }, ENTRA_GOV, MY_GOV },
	[CLOUD_DOD] = { LOGIN_GOV, "https://security.apps.mil", { GRAPH_L5, MDE_GOV },
	    { GRAPH_L5, MDE_GOV }, ENTRA_GOV, MY_GOV },
	[CLOUD_CUSTOM] = { NULL, PORTAL, { NULL, NULL }, { NULL, NULL }, ENTRA, MY },
};

/* Microsoft Learn: Get alerts, "For better performance, you can use a server closer to
 * your geo location". Tokens are those of the cloud. */
#define REGION(name) "https://" name ".api.security.microsoft.com"
const struct mde_region mde_regions[] = {
	{ "any", NULL },
	{ "us", REGION("us") },
	{ "eu", REGION("eu") },
	{ "uk", REGION("uk") },
	{ "au", REGION("au") },
	{ "swa", REGION("swa") },
};
const char *const mde_region_names[] = { "any", "us", "eu", "uk", "au", "swa", NULL };
