/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration from the file system: the one part of it that opens files. */
#pragma once

#include "supervisor/config/config_parse.h"

/*
 * Read, parse and check @path and what it includes. Files must be regular, end
 * in ".dae", lie below the entry file's folder, and not be writable by their
 * group or readable by others (mode & 0037). Results as config_parse().
 */
int config_load(struct config **ret, const char *path,
		struct config_diags *diags);
