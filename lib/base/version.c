#include "lib/base/version.h"

const char msspd_version[] = MSSPD_VERSION;
