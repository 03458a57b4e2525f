/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "lib/config/conf.h"

/*
 * conf_value: one value on its way from the configuration into its field, by the
 * type and the limits of its option. Inside conf only; knows nothing of the
 * mapping that it stands in.
 */
struct conf_value {
	const struct conf *c;
	const struct conf_opt *o;
	void *field;
};

/* As it is written. What is wrong is added to the problems; false: that were errors. */
bool conf_value_read(const struct conf_value *v, const struct node *n) MUST_CHECK;

/* Of a type that may be one text, as defaults are: a list's values between blanks. */
bool conf_value_read_text(const struct conf_value *v, const char *text, struct err *err) MUST_CHECK;

#endif
