/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two sides of a job's format share. */
#pragma once

#include <stdbool.h>

#include "supervisor/config/config_routing.h"

#define TASK_REQUEST_MAGIC 0x315145524d4f4344ULL
#define TASK_REPORT_MAGIC 0x3150455242474344ULL

/* Is a value of the function written down as text? */
bool task_has_text(enum rule_fn fn, enum rule_key key);
