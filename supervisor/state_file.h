/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that health, selection and quarantine outlive the daemon in. */
#pragma once

#include "supervisor/core/prober.h"

/*
 * Restore into @p from DIR/state. A damaged file is renamed to
 * state.damaged-TIME, said in the log, and nothing is taken from it: 0. No file
 * is 0 as well. -errno if it cannot be read or set aside.
 */
int state_file_load(const char *dir, struct prober *p,
		    const struct prober_now *now);
/* Write DIR/state atomically and durably. */
int state_file_save(const char *dir, struct prober *p,
		    const struct prober_now *now);
