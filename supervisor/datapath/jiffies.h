/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock that flow entries carry: the kernel's ticks. */
#pragma once

#include <stdint.h>

/* Ticks in a second. */
uint32_t jiffies_hz(void);
/* The low half of bpf_jiffies64(), which is all that entries have, by a program
 * of two instructions that is loaded the first time. 0 or -errno. */
int jiffies_now(uint32_t *ret, uint32_t *ret_hz);
