/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of the system for a worker: a list of calls for each role, all
 * others kill it, and no file and no port by Landlock where the kernel has it.
 * The list is data; a loop makes the filter of it, and a test reads both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "common/msg.h"

#define SANDBOX_TESTS_MAX 2
#define SANDBOX_FILTER_MAX 512 /* instructions */

enum sandbox_test {
	TEST_NONE,
	TEST_EQUALS,  /* the argument's low half, its high half is 0 */
	TEST_NO_BITS, /* none of these in its low half */
};

struct sandbox_arg {
	uint8_t index; /* which argument, from 0 */
	uint8_t test;  /* enum sandbox_test */
	uint32_t value;
};

/* A call that is allowed if all tests hold; rows of one call are alternatives. */
struct sandbox_rule {
	uint16_t nr;
	struct sandbox_arg args[SANDBOX_TESTS_MAX];
};

/* The rows of a role, or NULL. */
const struct sandbox_rule *sandbox_rules(enum worker_role role, size_t *ret_n);
/* Instructions into @ret (SANDBOX_FILTER_MAX); @otherwise is what a call not
 * allowed returns (SECCOMP_RET_…). Their number, or -EINVAL. */
int sandbox_filter(enum worker_role role, uint32_t otherwise,
		   struct sock_filter *ret);

struct sandbox_report {
	uint8_t landlock_abi; /* 0: the kernel has none */
	uint8_t seccomp;      /* 1 */
};

/* Close it, for good. no_new_privs must be set. 0 or -errno: then exit. */
int sandbox_enter(enum worker_role role, struct sandbox_report *ret);

/* Chosen by the build: kill at once, or (debug builds) name the call first. */
uint32_t sandbox_otherwise(void);
int sandbox_prepare_otherwise(void);
