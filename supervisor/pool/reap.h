/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How children end, and ending them. Only ever by the pid of a child of ours
 * that was not reaped yet. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/core/slot.h"

/* 1: it ended, *ret is its wait status; 0: it runs; -errno. */
int reap_try(pid_t pid, int *ret);
/* Waits for it: after reap_kill() only. */
int reap_wait(pid_t pid, int *ret);
/* SIGKILL, by @pidfd if it is one. 0, also if it is dead already, or -errno. */
int reap_kill(pid_t pid, int pidfd);
/* A wait status as the slot's machine takes it. */
struct slot_exit reap_decode(int status, bool was_oom);
