/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets and their checks as JSON, and how requests name them. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "supervisor/ctl/ctl_dispatch.h"

/* One target; @deep: with history and addresses. NULL without memory. */
json_t *ctl_target_json(const struct ctl_view *v, const struct target *t,
			bool deep);
/* The target of kind node or direct (or, with @monitors, monitor or upstream)
 * called @name, or with that id. NULL with the error filled in. */
const struct target *ctl_target_find(struct ctl_call *c, const char *name,
				     bool monitors);
/* The name of a target, null for TARGET_NONE and holes. */
json_t *ctl_target_name(const struct ctl_view *v, uint32_t index);
/* One page of targets for a list: fills in the call. */
int ctl_target_page(struct ctl_call *c, const char *schema, bool monitors);
