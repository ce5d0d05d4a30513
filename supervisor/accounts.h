/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users and groups of this machine, by name. */
#pragma once

#include <sys/types.h>

/* 0, -ENOENT if there is no such user, -errno. */
int accounts_user(const char *name, uid_t *ret_uid, gid_t *ret_gid);
/* (gid_t)-1 if there is no such group. */
gid_t accounts_group(const char *name);
