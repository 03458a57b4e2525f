#include <jansson.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/format/header.h"

/*
 * bench_cef: CPU time of one alert as a CEF line, with and without the syslog
 * header. Prints one row per case: what, microseconds of CPU, bytes.
 */
#define ROUNDS 200000
#define SAMPLE "tests/data/cef/endpoint-new/input.json"

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

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
measure(
    const char *what, const struct event *ev, size_t max_bytes, const struct header_opts *header)
{
	struct format_opts opts = { .max_bytes = max_bytes };
	struct buf out = BUF_INIT(1 << 16);
	double start = cpu_us();

	for (unsigned i = 0; i < ROUNDS; i++) {
		buf_clear(&out);
		if (header != NULL)
			header_write(&out, ev, header);
		if (!format_cef.write(&out, ev, &opts))
			BUG("%s was not written", what);
	}
	printf("%-32s %6.2f us %6zu bytes\n", what, (cpu_us() - start) / ROUNDS, out.n);
	buf_release(&out);
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
	struct header_opts header = { .kind = HEADER_RFC5424,
		.facility = 20,
		.hostname = "{customer}",
		.app_name = "msspd",
		.pid = 4711 };

	measure("cef", &ev, 8192, NULL);
	measure("cef with an RFC 5424 header", &ev, 8192, &header);
	header.kind = HEADER_RFC3164;
	measure("cef with an RFC 3164 header", &ev, 8192, &header);
	measure("cef cut to 1024 bytes", &ev, 1024, NULL);
	record_unref(r);
	return 0;
}
