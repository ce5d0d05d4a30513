/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where files of geo data are, and those that rules ask for, opened. */
#pragma once

#include <stddef.h>

#include "supervisor/compile/task.h"

#define GEO_FOLDERS_MAX 16U

struct geo_files {
	char *names[TASK_FILES_MAX];
	int fds[TASK_FILES_MAX];
	size_t count;
};

/*
 * Open all files that @routing names, as dae searches them: the folders of
 * DAE_LOCATION_ASSET, that of the file @config (NULL: none), dae/ in the user's
 * and the system's data folders. The first that is there is taken. Regular
 * files of a bounded size only; nothing is read. 0 or -errno with *ret_err at
 * the value that named it.
 */
int geo_files_open(struct geo_files *ret, const struct config_routing *routing,
		   const char *config, struct task_error *ret_err);
void geo_files_close(struct geo_files *f);
