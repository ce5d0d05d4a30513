/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/base.h"
#include "common/confine_arch.h"
#include "common/fd.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

/*
 * No socket, connect, bind, accept, open, fork, clone, exec, kill, ptrace, bpf,
 * io_uring, sendmmsg, dup. A socket that was handed over goes where it is
 * connected and nowhere else: sendto without an address and without
 * MSG_FASTOPEN, sendmsg on the channel's number alone, which nothing can be
 * moved to. No memory is ever executable.
 */
/* clang-format off */
static const struct confine_rule probe_rules[] = {
	/* the loop, sockets, the channel */
	CONFINE_EPOLL_WAIT_ROWS,
	{__NR_epoll_ctl, {{0}}},
	{__NR_recvfrom, {{0}}},
	{__NR_recvmsg, {{0}}},
	{__NR_sendto, {{4, CONFINE_EQUALS, 0}, {3, CONFINE_NO_BITS, MSG_FASTOPEN}}},
	{__NR_sendmsg, {{0, CONFINE_EQUALS, WORKER_CHANNEL_FD}}},
	{__NR_read, {{0}}},
	{__NR_write, {{0}}},
	{__NR_writev, {{0}}},
	{__NR_close, {{0}}},
	{__NR_getsockopt, {{0}}},
	{__NR_getsockname, {{0}}},
	{__NR_fcntl, {{1, CONFINE_EQUALS, F_GETFD}}},
	{__NR_fcntl, {{1, CONFINE_EQUALS, F_GETFL}}},
	{__NR_fcntl, {{1, CONFINE_EQUALS, F_SETFL}}},
	/* time, chance */
	{__NR_clock_gettime, {{0}}},
	{__NR_gettimeofday, {{0}}},
	{__NR_getrandom, {{0}}},
	{__NR_getpid, {{0}}},
	/* memory; the CA bundle is mapped from its descriptor */
	{__NR_mmap, {{2, CONFINE_NO_BITS, PROT_EXEC}}},
	{__NR_mprotect, {{2, CONFINE_NO_BITS, PROT_EXEC}}},
	{__NR_munmap, {{0}}},
	{__NR_mremap, {{0}}},
	{__NR_madvise, {{0}}},
	{__NR_brk, {{0}}},
	{__NR_lseek, {{0}}},
	/* the process itself */
	{__NR_futex, {{0}}},
	{__NR_rt_sigreturn, {{0}}},
	{__NR_rt_sigprocmask, {{0}}},
	{__NR_restart_syscall, {{0}}},
	{__NR_exit, {{0}}},
	{__NR_exit_group, {{0}}},
};
/* clang-format on */

const struct confine_rule *sandbox_rules(enum worker_role role, size_t *ret_n)
{
	if (role != ROLE_PROBE)
		return NULL;
	*ret_n = ARRAY_LEN(probe_rules);
	return probe_rules;
}

int sandbox_filter(enum worker_role role, uint32_t otherwise,
		   struct sock_filter *ret)
{
	struct confine_list list = { .rules = NULL };

	list.rules = sandbox_rules(role, &list.count);
	return list.rules ? confine_filter(&list, otherwise, ret) : -EINVAL;
}

int sandbox_enter(enum worker_role role, struct confine_report *ret)
{
	struct confine_list list = { .rules = NULL };

	list.rules = sandbox_rules(role, &list.count);
	return list.rules ? confine_enter(&list, ret) : -EINVAL;
}
