/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release builds: a call that is not on the list ends the process. */
#include "worker/sandbox.h"

#include <linux/seccomp.h>

uint32_t sandbox_otherwise(void)
{
	return SECCOMP_RET_KILL_PROCESS;
}

int sandbox_prepare_otherwise(void)
{
	return 0;
}
