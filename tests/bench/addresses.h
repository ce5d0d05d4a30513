/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the benchmark of address sets and its kernel programs share. */
#pragma once

#include <linux/types.h>

#define ADDRESSES 65536
#define AT_ONCE 1024 /* lookups to a run of the program */

struct address { /* of the wire's order */
	__u64 v6[2];
	__u32 v4;
	__u32 zero;
};
