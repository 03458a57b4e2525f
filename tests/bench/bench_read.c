/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading costs: CPU time per alert for splitting a page and for making a
 * record of each slice. The page is made up here: 200 alerts of about 5.2 KB with a
 * device, two processes, a user and an address. The best of many rounds counts:
 * others use the machine, too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/json/split.h"
#include "lib/record/record.h"
#include "tests/bench/cpu.h"

#define ALERTS 200
#define ROUNDS 100

static void
add_evidence_base(struct buf *b, const char *type, const char *verdict)
{
	buf_printf(b,
	    "{\"@odata.type\":\"#microsoft.graph.security.%s\",\"createdDateTime\":"
	    "\"2026-11-22T04:10:30.8Z\",\"verdict\":\"%s\",\"remediationStatus\":\"active\","
	    "\"remediationStatusDetails\":null,\"roles\":[\"compromised\"],"
	    "\"detailedRoles\":[\"PrimaryDevice\"],\"tags\":[],",
	    type, verdict);
}

static void
add_process(struct buf *b, int i)
{
	add_evidence_base(b, "processEvidence", "malicious");
	buf_printf(b,
	    "\"processId\":%d,\"parentProcessId\":668,\"processCommandLine\":"
	    "\"powershell.exe -NoProfile -ExecutionPolicy Bypass -enc "
	    "\\\"SQBFAFgAIAAoAE4AZQB3AC0ATw"
	    "BiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkA\\\"\","
	    "\"processCreationDateTime\":\"2026-11-22T04:08:59.0772577Z\","
	    "\"parentProcessCreationDateTime\":\"2026-11-22T04:08:50.0772577Z\","
	    "\"detectionStatus\":\"detected\","
	    "\"mdeDeviceId\":\"73e7e2de709dff64ef64b1d0c30e67fab63279db\",\"imageFile\":{"
	    "\"sha1\":\"36c5d12033b2eaf251bae61c00690ffb17fddc87\",\"sha256\":"
	    "\"8963a19fb992ad9a76576c5638fd68292cffb9aaac29eb8285f9abf6196a7dec\",\"md5\":null,"
	    "\"sha256Ac\":null,\"fileName\":\"powershell.exe\",\"filePath\":"
	    "\"C:\\\\Windows\\\\System32\\\\WindowsPowerShell\\\\v1.0\",\"fileSize\":455680,"
	    "\"filePublisher\":\"Microsoft Corporation\",\"signer\":null,\"issuer\":null},"
	    "\"parentProcessImageFile\":null,\"userAccount\":{\"accountName\":\"ana\","
	    "\"domainName\":\"CORP\","
	    "\"userSid\":\"S-1-5-21-1-2-3-1001\",\"azureAdUserId\":null,\"userPrincipalName\":"
	    "\"ana@corp.example\",\"displayName\":null}},",
	    4000 + i);
}

static void
add_device(struct buf *b, int i)
{
	add_evidence_base(b, "deviceEvidence", "suspicious");
	buf_printf(b,
	    "\"mdeDeviceId\":\"73e7e2de709dff64ef64b1d0c30e67fab63279db\",\"azureAdDeviceId\":null,"
	    "\"deviceDnsName\":\"pc%d.corp.example\",\"hostName\":\"pc%d\",\"ntDomain\":null,"
	    "\"dnsDomain\":\"corp.example\",\"osPlatform\":\"Windows11\",\"osBuild\":26100,"
	    "\"version\":\"24H2\",\"healthStatus\":\"active\",\"riskScore\":\"high\","
	    "\"rbacGroupId\":75,\"rbacGroupName\":\"Workstations\",\"onboardingStatus\":"
	    "\"onboarded\",\"defenderAvStatus\":\"updated\",\"ipInterfaces\":[\"10.1.2.3\","
	    "\"fe80::1\"],\"lastIpAddress\":\"10.1.2.3\",\"lastExternalIpAddress\":\"203.0.113.9\","
	    "\"loggedOnUsers\":[{\"accountName\":\"ana\",\"domainName\":\"CORP\"}],"
	    "\"resourceAccessEvents\":[],\"vmMetadata\":null},",
	    i, i);
}

static void
add_alert(struct buf *b, int i)
{
	buf_printf(b,
	    "{\"id\":\"da6389951122%08d_-1204459871\",\"providerAlertId\":\"da638995112233445566"
	    "_-1204459871\",\"incidentId\":\"%d\",\"status\":\"new\",\"severity\":\"high\","
	    "\"classification\":null,\"determination\":null,\"serviceSource\":"
	    "\"microsoftDefenderForEndpoint\",\"detectionSource\":\"microsoftDefenderForEndpoint\","
	    "\"productName\":\"Microsoft Defender for Endpoint\",\"detectorId\":"
	    "\"7f1c3609-a3ff-40e2-995b-c01770161d68\",\"tenantId\":"
	    "\"11111111-2222-3333-4444-555555555555\",\"title\":\"Suspicious PowerShell command "
	    "line\",\"description\":\"An encoded command was run.\\nReview the process tree.\","
	    "\"recommendedActions\":\"1. Isolate\\n2. Reset credentials\",\"category\":"
	    "\"Execution\",\"categories\":[\"Execution\"],\"assignedTo\":null,\"alertWebUrl\":"
	    "\"https://security.microsoft.com/alerts/da638995112233445566_-1204459871?tid=11111111"
	    "-2222-3333-4444-555555555555\",\"incidentWebUrl\":\"https://security.microsoft.com/"
	    "incidents/40817?tid=11111111-2222-3333-4444-555555555555\",\"actorDisplayName\":null,"
	    "\"threatDisplayName\":null,\"threatFamilyName\":null,\"mitreTechniques\":["
	    "\"T1059.001\"],\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\","
	    "\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\",\"resolvedDateTime\":null,"
	    "\"firstActivityDateTime\":\"2026-11-22T04:08:59.116Z\",\"lastActivityDateTime\":"
	    "\"2026-11-22T04:09:00Z\",\"systemTags\":[],\"alertPolicyId\":null,"
	    "\"investigationState\":\"queued\",\"comments\":[],\"customDetails\":{},\"evidence\":[",
	    i, 40000 + i);
	add_device(b, i);
	add_process(b, i);
	add_process(b, i + 1);
	add_evidence_base(b, "userEvidence", "unknown");
	buf_puts(b, "\"userAccount\":{\"accountName\":\"ana\",\"domainName\":\"CORP\",\"userSid\":"
		    "\"S-1-5-21-1-2-3-1001\",\"azureAdUserId\":null,\"userPrincipalName\":"
		    "\"ana@corp.example\",\"displayName\":null}},");
	add_evidence_base(b, "ipEvidence", "suspicious");
	buf_puts(b, "\"ipAddress\":\"203.0.113.77\",\"countryLetterCode\":\"DE\"}],"
		    "\"additionalData\":null}");
}

static void
make_page(struct buf *page)
{
	buf_puts(page, "{\"@odata.context\":\"x\",\"value\":[");
	for (int i = 0; i < ALERTS; i++) {
		if (i != 0)
			buf_byte(page, ',');
		add_alert(page, i);
	}
	buf_puts(page, "]}");
}

static void
split_whole(const struct buf *body, struct split_page *page)
{
	struct split s;
	struct err err;

	split_init(&s, 64u << 20, 5000);
	for (size_t at = 0; at < body->n; at += 16384)
		split_feed(&s, body->p + at, body->n - at < 16384 ? body->n - at : 16384);
	if (!split_finish(&s, page, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(EXIT_FAILURE);
	}
}

static void
keep_best(double *best, double us)
{
	if (*best == 0 || us < *best)
		*best = us;
}

int
main(void)
{
	struct buf body = BUF_INIT(64u << 20);
	struct split_page page;
	double split = 0, whole = 0, copied = 0;
	size_t read = 0;

	make_page(&body);
	for (int round = 0; round < ROUNDS; round++) {
		double at[4];

		at[0] = cpu_us();
		split_whole(&body, &page);
		at[1] = cpu_us();
		for (int copy = 0; copy < 2; copy++) {
			for (size_t i = 0; i < page.n; i++) {
				struct record *r =
				    record_from_alert(split_slice(&page, i), copy != 0, 0);

				read += r->type == RECORD_ALERT;
				record_unref(r);
			}
			at[2 + copy] = cpu_us();
		}
		split_page_release(&page);
		keep_best(&split, at[1] - at[0]);
		keep_best(&whole, at[2] - at[1]);
		keep_best(&copied, at[3] - at[2]);
	}
	printf("alert %zu bytes; us of CPU per alert: split %.2f, record %.2f, "
	       "record with a copy %.2f\n",
	    body.n / ALERTS, split / ALERTS, whole / ALERTS, copied / ALERTS);
	buf_release(&body);
	return read == 2 * ALERTS * ROUNDS ? EXIT_SUCCESS : EXIT_FAILURE;
}
