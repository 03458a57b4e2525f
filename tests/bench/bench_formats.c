/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/format/header.h"
#include "tests/bench/cpu.h"

/*
 * bench_formats: CPU time of one alert in each format, of CEF with a syslog header, and of
 * both where they must be shortened. Prints one row per case: what, microseconds of CPU, bytes.
 */
#define ROUNDS 100000
#define SAMPLE "tests/data/cef/endpoint-new/input.json"

static struct record *
sample(void)
{
	json_error_t error;
	json_t *top = json_load_file(SAMPLE, 0, &error);
	char *slice = json_dumps(json_object_get(top, "alert"), JSON_COMPACT);
	struct record *r;

	if (slice == NULL)
		BUG("%s: %s; run from the root of the tree", SAMPLE, error.text);
	r = record_from_alert(str_of(slice), true, 0);
	free(slice);
	json_decref(top);
	return r;
}

static void
measure(const char *what, const struct format *format, const struct event *ev,
    const struct format_opts *opts, const struct header_opts *header)
{
	struct buf out = BUF_INIT(1 << 18);
	double start = cpu_us();

	for (unsigned i = 0; i < ROUNDS; i++) {
		buf_clear(&out);
		if (header != NULL)
			header_write(&out, ev, header);
		if (!format->write(&out, ev, opts))
			BUG("%s was not written", what);
	}
	printf("%-32s %6.2f us %6zu bytes\n", what, (cpu_us() - start) / ROUNDS, out.n);
	buf_release(&out);
}

static void
measure_all(const struct event *ev)
{
	static const struct format_opts plenty = { .max_bytes = 1 << 18 };
	static const struct format_opts without_raw = { .max_bytes = 1 << 18, .without_raw = true };
	static const struct format_opts line = { .max_bytes = 8192 };
	static const struct format_opts small = { .max_bytes = 4096 }, tiny = { .max_bytes = 1024 };
	struct header_opts header = { .facility = 20,
		.hostname = "{customer}",
		.app_name = "msspd",
		.pid = 4711 };

	for (const struct format *const *f = formats; *f != NULL; f++)
		measure((*f)->name, *f, ev, &plenty, NULL);
	header.kind = HEADER_RFC5424;
	measure("cef with an RFC 5424 header", &format_cef, ev, &line, &header);
	header.kind = HEADER_RFC3164;
	measure("cef with an RFC 3164 header", &format_cef, ev, &line, &header);
	measure("cef cut to 1024 bytes", &format_cef, ev, &tiny, NULL);
	measure("ocsf without raw_data", &format_ocsf, ev, &without_raw, NULL);
	measure("ocsf cut to 4096 bytes", &format_ocsf, ev, &small, NULL);
}

int
main(void)
{
	char tenant_id[] = "11111111-2222-3333-4444-555555555555", name[] = "contoso", empty[] = "";
	char cloud[] = "global", host[] = "security.microsoft.com";
	struct origin origin = { .refs = 1,
		.tenant_id = tenant_id,
		.tenant = name,
		.customer = name,
		.customer_name = name,
		.cloud = cloud,
		.portal_host = host,
		.stream = name,
		.instance = empty };
	struct record *r = sample();
	struct event ev = { .record = r, .origin = &origin, .kind = KIND_NEW };
	measure_all(&ev);
	record_unref(r);
	return 0;
}
