/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "common/base.h"

/*
 * Read what it was handed, compute, fill and seal what it was handed. No open,
 * no socket, no process, no other way out; no memory is ever executable.
 */
/* clang-format off */
static const struct confine_rule rules[] = {
	{__NR_read, {{0}}},
	{__NR_pread64, {{0}}},
	{__NR_lseek, {{0}}},
	{__NR_write, {{0}}},
	{__NR_writev, {{0}}},
	{__NR_fcntl, {{1, CONFINE_EQUALS, F_ADD_SEALS}}},
	{__NR_fcntl, {{1, CONFINE_EQUALS, F_GETFL}}},
	/* memory */
	{__NR_mmap, {{2, CONFINE_NO_BITS, PROT_EXEC}}},
	{__NR_mprotect, {{2, CONFINE_NO_BITS, PROT_EXEC}}},
	{__NR_munmap, {{0}}},
	{__NR_mremap, {{0}}},
	{__NR_madvise, {{0}}},
	{__NR_brk, {{0}}},
	{__NR_sysinfo, {{0}}}, /* of qsort(): how much may it take? */
	/* the process itself */
	{__NR_clock_gettime, {{0}}},
	{__NR_futex, {{0}}},
	{__NR_rt_sigreturn, {{0}}},
	{__NR_rt_sigprocmask, {{0}}},
	{__NR_restart_syscall, {{0}}},
	{__NR_exit, {{0}}},
	{__NR_exit_group, {{0}}},
};
/* clang-format on */

const struct confine_list *compile_calls(void)
{
	static const struct confine_list list = { .rules = rules,
						  .count = ARRAY_LEN(rules) };

	return &list;
}
