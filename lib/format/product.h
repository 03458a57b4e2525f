/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "lib/base/str.h"

/*
 * product: the service that raised an alert, by the name it is sold under.
 *
 * The table of all values of serviceSource that msspd knows. Receivers choose
 * their log source by this name, so text from the network must not make one up.
 */

/* "Microsoft Defender for Endpoint"; NULL when the word is not known. Compared without case. */
const char *product_name(struct str service_source);

#endif
