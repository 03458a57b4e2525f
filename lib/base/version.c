/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/version.h"

const char msspd_version[] = MSSPD_VERSION;
