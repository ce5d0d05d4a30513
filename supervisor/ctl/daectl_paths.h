/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the other programs of this installation are: found from our own place,
 * so that one prefix, or a build tree, uses its own. Never from $PATH. */
#pragma once

#include <stddef.h>

/* 0, or -ENOENT if there is none. */
int paths_supervisor(char *buf, size_t cap);
/* $DAE_LIBEXEC, if set, names the folder. */
int paths_worker(char *buf, size_t cap);
int paths_compile(char *buf, size_t cap);
/* Run @path with @argv, its stdout into *ret (malloc, at most 64 KiB,
 * terminated). Its exit code, or -errno. */
int paths_run(const char *path, char *const argv[], char **ret);
