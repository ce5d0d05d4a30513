/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another configuration in place of the running one: parse, check and compile
 * beside it, then swap. Whatever fails before the swap changes nothing.
 */
#pragma once

#include <stdbool.h>

#include "supervisor/ctl/ctl.h"

struct supervisor;

/* 0 or -errno; res->diags says what is wrong. */
int reload(struct supervisor *s, const struct ctl_reload_request *q,
	   struct ctl_outcome *res);
/* To the configuration that was kept when the running one was not to stay
 * unless confirmed. */
int reload_back(struct supervisor *s, struct ctl_outcome *res);
/* SIGHUP: the outcome goes to the log and the service manager. */
void reload_by_signal(struct supervisor *s);
/* One log line for each diagnostic, the place first. */
void reload_log_diags(const struct config_diags *diags);
