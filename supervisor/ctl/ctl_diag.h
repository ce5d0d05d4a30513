/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics of a configuration as JSON: for a reload's answer, and for
 * daectl check-config, which needs no daemon. */
#pragma once

#include <jansson.h>

#include "supervisor/config/config_diag.h"

/* An array; NULL without memory. */
json_t *ctl_diag_json(const struct config_diags *d);
