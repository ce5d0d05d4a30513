/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration's rules compiled for the sake of their errors alone. */
#pragma once

#include "supervisor/compile/launch.h"
#include "supervisor/config/config.h"
#include "supervisor/config/config_diag.h"

/* What the process is to run as here: for root somebody without rights, else
 * whoever we are. */
void compile_choose_user(struct launch_how *how);
/*
 * Compile; the result is thrown away. 0, or -errno with an error in @diags;
 * warnings are added in both cases. Waits.
 */
int compile_check(const struct launch_how *how, const struct config *c,
		  struct config_diags *diags);
/* What a job said about @c, as messages of its file. */
void compile_tell_warnings(const struct config *c,
			   const struct task_report *report,
			   struct config_diags *diags);
void compile_tell_error(const struct config *c, const struct task_error *e,
			struct config_diags *diags);
