/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another configuration in place of the running one: parse, check and compile
 * beside it, then swap. Whatever fails before the swap changes nothing.
 */
#pragma once

#include <stdbool.h>

#include "supervisor/ctl/ctl.h"

struct supervisor;

enum reload_cause { RELOAD_CONTROL, RELOAD_SIGNAL, RELOAD_BACK };

/*
 * -EINPROGRESS: it has begun, and res->ticket is answered when its rules were
 * compiled and are in force, or are not. Else -errno, and it is over; res->diags
 * says what is wrong. One at a time: -EBUSY.
 */
int reload(struct supervisor *s, const struct ctl_reload_request *q,
	   struct ctl_outcome *res);
/* To the configuration that was kept when the running one was not to stay
 * unless confirmed. As reload(); confirm_back_done() hears of it, too. */
int reload_back(struct supervisor *s, struct ctl_outcome *res);
/* SIGHUP: the outcome goes to the log and the service manager. One that is
 * under way is followed by this one. */
void reload_by_signal(struct supervisor *s);
/* The end: one under way is dropped. */
void reload_stop(struct supervisor *s);
/* One log line for each diagnostic, the place first. */
void reload_log_diags(const struct config_diags *diags);
