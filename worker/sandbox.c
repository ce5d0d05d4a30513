/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "common/base.h"
#include "common/fd.h"
#include "worker/sandbox_arch.h"

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
static const struct sandbox_rule probe_rules[] = {
	/* the loop, sockets, the channel */
	SANDBOX_EPOLL_WAIT_ROWS,
	{__NR_epoll_ctl, {{0}}},
	{__NR_recvfrom, {{0}}},
	{__NR_recvmsg, {{0}}},
	{__NR_sendto, {{4, TEST_EQUALS, 0}, {3, TEST_NO_BITS, MSG_FASTOPEN}}},
	{__NR_sendmsg, {{0, TEST_EQUALS, WORKER_CHANNEL_FD}}},
	{__NR_read, {{0}}},
	{__NR_write, {{0}}},
	{__NR_writev, {{0}}},
	{__NR_close, {{0}}},
	{__NR_getsockopt, {{0}}},
	{__NR_getsockname, {{0}}},
	{__NR_fcntl, {{1, TEST_EQUALS, F_GETFD}}},
	{__NR_fcntl, {{1, TEST_EQUALS, F_GETFL}}},
	{__NR_fcntl, {{1, TEST_EQUALS, F_SETFL}}},
	/* time, chance */
	{__NR_clock_gettime, {{0}}},
	{__NR_gettimeofday, {{0}}},
	{__NR_getrandom, {{0}}},
	{__NR_getpid, {{0}}},
	/* memory; the CA bundle is mapped from its descriptor */
	{__NR_mmap, {{2, TEST_NO_BITS, PROT_EXEC}}},
	{__NR_mprotect, {{2, TEST_NO_BITS, PROT_EXEC}}},
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

const struct sandbox_rule *sandbox_rules(enum worker_role role, size_t *ret_n)
{
	if (role != ROLE_PROBE)
		return NULL;
	*ret_n = ARRAY_LEN(probe_rules);
	return probe_rules;
}

/* A filter in the making; what does not fit is noticed at the end. */
struct filter {
	struct sock_filter *code;
	size_t len;
};

static void emit(struct filter *f, struct sock_filter ins)
{
	if (f->len < SANDBOX_FILTER_MAX)
		f->code[f->len] = ins;
	f->len++;
}

static void emit_load(struct filter *f, size_t offset)
{
	emit(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     (uint32_t)offset));
}

static void emit_return(struct filter *f, uint32_t action)
{
	emit(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Offset of half an argument; both architectures are little endian. */
static size_t arg_offset(uint8_t index, bool high)
{
	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) +
	       (high ? sizeof(uint32_t) : 0);
}

static size_t test_length(const struct sandbox_arg *a)
{
	static const uint8_t length[] = {
		[TEST_NONE] = 0,
		[TEST_EQUALS] = 4,
		[TEST_NO_BITS] = 2,
	};

	return length[a->test];
}

/* @fail: instructions to skip from behind this test if it does not hold. */
static void emit_test(struct filter *f, const struct sandbox_arg *a,
		      size_t fail)
{
	if (a->test == TEST_EQUALS) {
		emit_load(f, arg_offset(a->index, true));
		emit(f,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0,
						  0, (uint8_t)(fail + 2)));
		emit_load(f, arg_offset(a->index, false));
		emit(f,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						  a->value, 0, (uint8_t)fail));
	} else if (a->test == TEST_NO_BITS) {
		emit_load(f, arg_offset(a->index, false));
		emit(f,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
						  a->value, (uint8_t)fail, 0));
	}
}

/*
 * With the call's number loaded, before and behind it:
 *   is it this call? no: skip the block
 *   tests: one does not hold: skip to the reload
 *   allow
 *   reload the number
 */
static void emit_rule(struct filter *f, const struct sandbox_rule *r)
{
	size_t tests = test_length(&r->args[0]) + test_length(&r->args[1]);
	size_t left = tests, i;

	emit(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->nr,
					     0, (uint8_t)(tests + 2)));
	for (i = 0; i < SANDBOX_TESTS_MAX; i++) {
		left -= test_length(&r->args[i]);
		emit_test(f, &r->args[i], left + 1);
	}
	emit_return(f, SECCOMP_RET_ALLOW);
	emit_load(f, offsetof(struct seccomp_data, nr));
}

int sandbox_filter(enum worker_role role, uint32_t otherwise,
		   struct sock_filter *ret)
{
	struct filter f = { .code = ret };
	const struct sandbox_rule *rules;
	size_t n = 0, i;

	rules = sandbox_rules(role, &n);
	if (!rules)
		return -EINVAL;
	emit_load(&f, offsetof(struct seccomp_data, arch));
	emit(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					      SANDBOX_AUDIT_ARCH, 1, 0));
	emit_return(&f, SECCOMP_RET_KILL_PROCESS);
	/* x32's numbers have a bit of their own and so equal no row. */
	emit_load(&f, offsetof(struct seccomp_data, nr));
	for (i = 0; i < n; i++)
		emit_rule(&f, &rules[i]);
	emit_return(&f, otherwise);
	return f.len <= SANDBOX_FILTER_MAX ? (int)f.len : -EINVAL;
}

/* As the kernel defines it up to ABI 6; older libraries' headers know less. */
struct landlock_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;	     /* ABI 6 */
};

#define LANDLOCK_VERSION_FLAG 1U
#define FS_BITS_V1 13
#define NET_ALL 3ULL   /* TCP bind and connect */
#define SCOPE_ALL 3ULL /* abstract Unix sockets, signals */

static struct landlock_attr landlock_attr_for(int abi, size_t *ret_size)
{
	struct landlock_attr a = { 0 };
	unsigned int fs = FS_BITS_V1;

	if (abi >= 2)
		fs++; /* REFER */
	if (abi >= 3)
		fs++; /* TRUNCATE */
	if (abi >= 5)
		fs++; /* IOCTL_DEV */
	a.handled_access_fs = (1ULL << fs) - 1;
	*ret_size = sizeof(a.handled_access_fs);
	if (abi >= 4) {
		a.handled_access_net = NET_ALL;
		*ret_size = offsetof(struct landlock_attr, scoped);
	}
	if (abi >= 6) {
		a.scoped = SCOPE_ALL;
		*ret_size = sizeof(a);
	}
	return a;
}

/* A ruleset without a rule: all that it handles is denied. */
static int landlock_enter(uint8_t *ret_abi)
{
	int abi = (int)syscall(__NR_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_VERSION_FLAG);
	struct landlock_attr attr;
	auto_fd int fd = -1;
	size_t size;

	*ret_abi = 0;
	if (abi <= 0)
		return 0; /* not built in, or not switched on */
	attr = landlock_attr_for(abi, &size);
	fd = (int)syscall(__NR_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0 || syscall(__NR_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	*ret_abi = (uint8_t)MIN(abi, UINT8_MAX);
	return 0;
}

int sandbox_enter(enum worker_role role, struct sandbox_report *ret)
{
	struct sock_filter code[SANDBOX_FILTER_MAX];
	struct sock_fprog prog = { .filter = code };
	int r;

	r = landlock_enter(&ret->landlock_abi);
	if (r < 0)
		return r;
	r = sandbox_prepare_otherwise();
	if (r < 0)
		return r;
	r = sandbox_filter(role, sandbox_otherwise(), code);
	if (r < 0)
		return r;
	prog.len = (unsigned short)r;
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0)
		return -errno;
	ret->seccomp = 1;
	return 0;
}
