/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list holds nothing that leads out, and the filter made of it decides as
 * the list says: the test runs the instructions itself. */
#include "worker/sandbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/confine_arch.h"

#define KILL SECCOMP_RET_KILL_PROCESS
#define ALLOW SECCOMP_RET_ALLOW

/* Ways out, whatever the arguments. */
/* clang-format off */
static const int forbidden[] = {
	__NR_socket, __NR_socketpair, __NR_connect, __NR_bind, __NR_listen,
	__NR_accept, __NR_accept4, __NR_sendmmsg, __NR_dup, __NR_dup3,
	__NR_openat, __NR_openat2, __NR_open_by_handle_at, __NR_execve,
	__NR_execveat, __NR_clone, __NR_clone3, __NR_ptrace, __NR_bpf,
	__NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register,
	__NR_kill, __NR_tkill, __NR_tgkill, __NR_pidfd_open,
	__NR_pidfd_getfd, __NR_pidfd_send_signal, __NR_process_vm_readv,
	__NR_process_vm_writev, __NR_setuid, __NR_setresuid, __NR_capset,
	__NR_unshare, __NR_setns, __NR_mount, __NR_chroot, __NR_prctl,
	__NR_seccomp, __NR_ioctl, __NR_newfstatat, __NR_statx,
	__NR_unlinkat, __NR_linkat, __NR_symlinkat, __NR_mkdirat,
	__NR_memfd_create, __NR_userfaultfd, __NR_perf_event_open,
	__NR_keyctl, __NR_splice, __NR_sendfile, __NR_setsockopt,
};
/* clang-format on */

static uint32_t run(const struct sock_filter *code, int len,
		    const struct seccomp_data *data)
{
	const struct sock_filter *ins;
	uint32_t a = 0;
	int pc, steps;

	for (pc = 0, steps = 0; pc < len && steps < 4096; pc++, steps++) {
		ins = &code[pc];
		switch (ins->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(ins->k + 4 <= sizeof(*data));
			memcpy(&a, (const char *)data + ins->k, sizeof(a));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == ins->k ? ins->jt : ins->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & ins->k ? ins->jt : ins->jf;
			break;
		case BPF_RET | BPF_K:
			return ins->k;
		default:
			fail_msg("instruction 0x%x", ins->code);
		}
	}
	fail_msg("the filter has no end");
	return 0;
}

static uint32_t verdict(struct seccomp_data data)
{
	struct sock_filter code[CONFINE_FILTER_MAX];
	int len = sandbox_filter(ROLE_PROBE, KILL, code);

	assert_true(len > 0);
	data.arch = CONFINE_AUDIT_ARCH;
	return run(code, len, &data);
}

static void list_has_no_way_out(void **state DAE_UNUSED)
{
	const struct confine_rule *rules;
	size_t n = 0, i, k;

	rules = sandbox_rules(ROLE_PROBE, &n);
	assert_non_null(rules);
	for (i = 0; i < n; i++)
		for (k = 0; k < ARRAY_LEN(forbidden); k++)
			assert_int_not_equal(rules[i].nr, forbidden[k]);
	assert_null(sandbox_rules(ROLE_NONE, &n));
}

static void filter_denies_what_is_not_listed(void **state DAE_UNUSED)
{
	const struct confine_rule *rules;
	size_t n = 0, i;
	bool is_listed;
	int nr;

	rules = sandbox_rules(ROLE_PROBE, &n);
	for (nr = 0; nr < 600; nr++) {
		for (is_listed = false, i = 0; i < n; i++)
			is_listed |= rules[i].nr == nr;
		if (!is_listed)
			assert_int_equal(
				verdict((struct seccomp_data){ .nr = nr }),
				KILL);
	}
	/* the other ABIs of the same machine */
	assert_int_equal(
		verdict((struct seccomp_data){ .nr = 0x40000000 | __NR_read }),
		KILL);
}

static void filter_allows_what_is_listed_freely(void **state DAE_UNUSED)
{
	const struct confine_rule *rules;
	size_t n = 0, i;

	rules = sandbox_rules(ROLE_PROBE, &n);
	for (i = 0; i < n; i++)
		if (rules[i].args[0].test == CONFINE_NONE)
			assert_int_equal(verdict((struct seccomp_data){
						 .nr = rules[i].nr }),
					 ALLOW);
}

static void foreign_architecture_is_killed(void **state DAE_UNUSED)
{
	struct sock_filter code[CONFINE_FILTER_MAX];
	struct seccomp_data data = { .nr = __NR_read, .arch = AUDIT_ARCH_I386 };
	int len = sandbox_filter(ROLE_PROBE, KILL, code);

	assert_int_equal(run(code, len, &data), KILL);
}

#define FASTOPEN 0x20000000

static const struct {
	const char *what;
	uint32_t want;
	struct seccomp_data data;
} cases[] = {
	{ "send",
	  ALLOW,
	  { .nr = __NR_sendto, .args = { 7, 1, 2, MSG_NOSIGNAL } } },
	{ "sendto an address",
	  KILL,
	  { .nr = __NR_sendto, .args = { 7, 1, 2, 0, 4096, 16 } } },
	{ "sendto an address above 4 GiB",
	  KILL,
	  { .nr = __NR_sendto, .args = { 7, 1, 2, 0, 1ULL << 32, 16 } } },
	{ "send with fast open",
	  KILL,
	  { .nr = __NR_sendto, .args = { 7, 1, 2, FASTOPEN } } },
	{ "sendto with fast open among others",
	  KILL,
	  { .nr = __NR_sendto,
	    .args = { 7, 1, 2, FASTOPEN | MSG_DONTWAIT, 4096, 16 } } },
	{ "sendmsg on the channel",
	  ALLOW,
	  { .nr = __NR_sendmsg, .args = { WORKER_CHANNEL_FD, 4096, 0 } } },
	{ "sendmsg on a probe's socket",
	  KILL,
	  { .nr = __NR_sendmsg, .args = { 7, 4096, 0 } } },
	{ "sendmsg, high half set",
	  KILL,
	  { .nr = __NR_sendmsg,
	    .args = { 1ULL << 32 | WORKER_CHANNEL_FD, 4096, 0 } } },
	{ "recvmsg", ALLOW, { .nr = __NR_recvmsg, .args = { 7, 4096, 0 } } },
	{ "fcntl F_GETFL",
	  ALLOW,
	  { .nr = __NR_fcntl, .args = { 7, F_GETFL } } },
	{ "fcntl F_SETFL",
	  ALLOW,
	  { .nr = __NR_fcntl, .args = { 7, F_SETFL } } },
	{ "fcntl F_DUPFD", KILL, { .nr = __NR_fcntl, .args = { 7, F_DUPFD } } },
	{ "fcntl F_DUPFD_CLOEXEC",
	  KILL,
	  { .nr = __NR_fcntl, .args = { 7, F_DUPFD_CLOEXEC } } },
	{ "fcntl F_SETOWN",
	  KILL,
	  { .nr = __NR_fcntl, .args = { 7, F_SETOWN } } },
	{ "mmap",
	  ALLOW,
	  { .nr = __NR_mmap, .args = { 0, 4096, PROT_READ | PROT_WRITE } } },
	{ "mmap executable",
	  KILL,
	  { .nr = __NR_mmap, .args = { 0, 4096, PROT_READ | PROT_EXEC } } },
	{ "mprotect",
	  ALLOW,
	  { .nr = __NR_mprotect, .args = { 0, 4096, PROT_READ } } },
	{ "mprotect executable",
	  KILL,
	  { .nr = __NR_mprotect, .args = { 0, 4096, PROT_EXEC } } },
};

static void arguments_decide(void **state DAE_UNUSED)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (verdict(cases[i].data) != cases[i].want)
			fail_msg("%s", cases[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_has_no_way_out),
		cmocka_unit_test(filter_denies_what_is_not_listed),
		cmocka_unit_test(filter_allows_what_is_listed_freely),
		cmocka_unit_test(foreign_architecture_is_killed),
		cmocka_unit_test(arguments_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
