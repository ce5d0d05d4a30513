/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links of nodes and addresses of monitors, decoded. */
#pragma once

#include <stddef.h>

#include "supervisor/config/config.h"

struct arena;

/*
 * Decode the link in @text (@len bytes, no tag before it) into *ret, whose
 * strings live in @a. 0, also for a scheme that is known but not usable
 * (SCHEME_UNSUPPORTED, ret->reason says why); -EINVAL with the cause in @why;
 * -ENOMEM. ret->name is the fragment, else host:port.
 */
int config_link_parse(struct arena *a, const char *text, size_t len,
		      struct config_node *ret, char *why, size_t cap);
/* The same for a monitor's URL: kind, host, port, path, question; everything
 * else in *ret gets its default. */
int config_monitor_parse(struct arena *a, const char *text, size_t len,
			 struct config_monitor *ret, char *why, size_t cap);
/* "doq", "h3", … as in a monitor's URL; "?" out of range. */
const char *monitor_kind_name(enum monitor_kind k);
