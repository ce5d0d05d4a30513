/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of sd_notify(3), spoken without libsystemd. */
#pragma once

#include <stdint.h>

/* Send @text ("READY=1\nSTATUS=…") if NOTIFY_SOCKET is set. 0, also when there
 * is nobody to tell, or -errno. */
int notify_send(const char *text);
/* Interval in which WATCHDOG=1 is expected (sd_watchdog_enabled(3)), 0: none. */
uint64_t notify_watchdog_ns(void);
