/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of probes made for somebody who waits for them. */
#pragma once

#include <jansson.h>

#include "common/msg.h"
#include "supervisor/ctl/ctl.h"

#define CTL_PROBE_SCHEMA "dae.probe/1"

/* One probe; @class: NULL if it has none of ours (a resolution). */
json_t *ctl_probe_json(const char *name, const char *cls,
		       const struct sockaddr_storage *peer,
		       const struct result *r);
/* All answers of a request, as an array. NULL without memory. */
json_t *ctl_probe_answers(const struct ctl_view *v,
			  const struct ctl_probe_answer *answers, size_t count);
