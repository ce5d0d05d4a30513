/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of the system for a process that reads bytes from outside: a list
 * of calls, all others kill it, and no file and no port by Landlock where the
 * kernel has it. The list is data; a loop makes the filter of it, and a test
 * reads both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#define CONFINE_TESTS_MAX 2
#define CONFINE_FILTER_MAX 512 /* instructions */

enum confine_test {
	CONFINE_NONE,
	CONFINE_EQUALS,	 /* the argument's low half, its high half is 0 */
	CONFINE_NO_BITS, /* none of these in its low half */
};

struct confine_arg {
	uint8_t index; /* which argument, from 0 */
	uint8_t test;  /* enum confine_test */
	uint32_t value;
};

/* A call that is allowed if all tests hold; rows of one call are alternatives. */
struct confine_rule {
	uint16_t nr;
	struct confine_arg args[CONFINE_TESTS_MAX];
};

struct confine_list {
	const struct confine_rule *rules;
	size_t count;
};

/* Instructions into @ret (CONFINE_FILTER_MAX); @otherwise is what a call not
 * allowed returns (SECCOMP_RET_…). Their number, or -EINVAL. */
int confine_filter(const struct confine_list *list, uint32_t otherwise,
		   struct sock_filter *ret);

struct confine_report {
	uint8_t landlock_abi; /* 0: the kernel has none */
	uint8_t seccomp;      /* 1 */
};

/* Close it, for good. no_new_privs must be set. 0 or -errno: then exit. */
int confine_enter(const struct confine_list *list, struct confine_report *ret);

/* Chosen by the build: kill at once, or (debug builds) name the call first. */
uint32_t confine_otherwise(void);
int confine_prepare_otherwise(void);
