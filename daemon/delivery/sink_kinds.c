/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink.h"

const struct sink_kind *const sink_kinds[] = {
	&sink_syslog,
	&sink_kafka,
	&sink_smtp,
	&sink_file,
	NULL,
};
