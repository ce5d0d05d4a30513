/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/confine.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "common/base.h"
#include "common/confine_arch.h"
#include "common/fd.h"

/* A filter in the making; what does not fit is noticed at the end. */
struct filter {
	struct sock_filter *code;
	size_t len;
};

static void emit(struct filter *f, struct sock_filter ins)
{
	if (f->len < CONFINE_FILTER_MAX)
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

static size_t test_length(const struct confine_arg *a)
{
	static const uint8_t length[] = {
		[CONFINE_NONE] = 0,
		[CONFINE_EQUALS] = 4,
		[CONFINE_NO_BITS] = 2,
	};

	return length[a->test];
}

/* @fail: instructions to skip from behind this test if it does not hold. */
static void emit_test(struct filter *f, const struct confine_arg *a,
		      size_t fail)
{
	if (a->test == CONFINE_EQUALS) {
		emit_load(f, arg_offset(a->index, true));
		emit(f,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0,
						  0, (uint8_t)(fail + 2)));
		emit_load(f, arg_offset(a->index, false));
		emit(f,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						  a->value, 0, (uint8_t)fail));
	} else if (a->test == CONFINE_NO_BITS) {
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
static void emit_rule(struct filter *f, const struct confine_rule *r)
{
	size_t tests = test_length(&r->args[0]) + test_length(&r->args[1]);
	size_t left = tests, i;

	emit(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->nr,
					     0, (uint8_t)(tests + 2)));
	for (i = 0; i < CONFINE_TESTS_MAX; i++) {
		left -= test_length(&r->args[i]);
		emit_test(f, &r->args[i], left + 1);
	}
	emit_return(f, SECCOMP_RET_ALLOW);
	emit_load(f, offsetof(struct seccomp_data, nr));
}

int confine_filter(const struct confine_list *list, uint32_t otherwise,
		   struct sock_filter *ret)
{
	struct filter f = { .code = ret };
	size_t i;

	emit_load(&f, offsetof(struct seccomp_data, arch));
	emit(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					      CONFINE_AUDIT_ARCH, 1, 0));
	emit_return(&f, SECCOMP_RET_KILL_PROCESS);
	/* x32's numbers have a bit of their own and so equal no row. */
	emit_load(&f, offsetof(struct seccomp_data, nr));
	for (i = 0; i < list->count; i++)
		emit_rule(&f, &list->rules[i]);
	emit_return(&f, otherwise);
	return f.len <= CONFINE_FILTER_MAX ? (int)f.len : -EINVAL;
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

int confine_enter(const struct confine_list *list, struct confine_report *ret)
{
	struct sock_filter code[CONFINE_FILTER_MAX];
	struct sock_fprog prog = { .filter = code };
	int r;

	r = landlock_enter(&ret->landlock_abi);
	if (r < 0)
		return r;
	r = confine_prepare_otherwise();
	if (r < 0)
		return r;
	r = confine_filter(list, confine_otherwise(), code);
	if (r < 0)
		return r;
	prog.len = (unsigned short)r;
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0)
		return -errno;
	ret->seccomp = 1;
	return 0;
}
