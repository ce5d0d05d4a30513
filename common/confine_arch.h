/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the architectures differ in their calls. */
#pragma once

#include <sys/syscall.h>

#include <linux/audit.h>

/* clang-format off */
#if defined(__x86_64__)
#define CONFINE_AUDIT_ARCH AUDIT_ARCH_X86_64
#define CONFINE_EPOLL_WAIT_ROWS                                                \
	{ __NR_epoll_wait, { { 0 } } }, { __NR_epoll_pwait, { { 0 } } }
#elif defined(__aarch64__)
#define CONFINE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#define CONFINE_EPOLL_WAIT_ROWS { __NR_epoll_pwait, { { 0 } } }
#else
#error "list the system calls of this architecture"
#endif
/* clang-format on */
