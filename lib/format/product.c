/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/product.h"

static const struct {
	struct str source;
	const char *name;
} products[] = {
	{ STR("microsoftDefenderForEndpoint"), "Microsoft Defender for Endpoint" },
	{ STR("microsoftDefenderForIdentity"), "Microsoft Defender for Identity" },
	{ STR("microsoftDefenderForCloudApps"), "Microsoft Defender for Cloud Apps" },
	{ STR("microsoftDefenderForOffice365"), "Microsoft Defender for Office 365" },
	{ STR("microsoftDefenderForCloud"), "Microsoft Defender for Cloud" },
	{ STR("microsoft365Defender"), "Microsoft Defender XDR" },
	{ STR("azureAdIdentityProtection"), "Microsoft Entra ID Protection" },
	{ STR("microsoftAppGovernance"), "Microsoft App Governance" },
	{ STR("dataLossPrevention"), "Microsoft Purview Data Loss Prevention" },
	{ STR("microsoftInsiderRiskManagement"), "Microsoft Purview Insider Risk Management" },
	{ STR("microsoftSentinel"), "Microsoft Sentinel" },
	{ STR("microsoftThreatIntelligence"), "Microsoft Threat Intelligence" },
	{ STR("microsoftSecurityForAI"), "Microsoft Security for AI" },
};

const char *
product_name(struct str source)
{
	for (size_t i = 0; i < ARRAY_LEN(products); i++) {
		if (str_same_nocase(source, products[i].source))
			return products[i].name;
	}
	return NULL;
}
