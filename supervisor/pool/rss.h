/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process uses, as the kernel counts it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Anonymous memory: statm's resident minus shared. 0 or -errno. */
int rss_read_anon(pid_t pid, uint64_t *ret_bytes);
/* Open descriptors, or -ENOTSUP before Linux 6.2, which does not count them in
 * the folder's size; -errno. */
int rss_read_fds(pid_t pid, uint32_t *ret);
