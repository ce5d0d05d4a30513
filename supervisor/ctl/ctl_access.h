/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may connect to the control socket: its owner and two groups. */
#pragma once

#include <sys/types.h>

#define CTL_NO_GID ((gid_t)-1)

/*
 * Let members of @group, which becomes the socket's own, and of @admin connect
 * to the socket at @path, whose mode is 0660 or wider; either may be
 * CTL_NO_GID. On a file system without access lists those of @admin alone
 * cannot. 0 or -errno.
 */
int ctl_access_allow(const char *path, gid_t group, gid_t admin);
