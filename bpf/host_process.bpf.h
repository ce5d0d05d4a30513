/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the process that uses a socket. */
#pragma once

#include "bpf/host_facts.bpf.h"

#include <bpf/bpf_core_read.h>

#define HOST_ARGUMENT 128 /* bytes of argv[0] that are looked at */

/* What we read of the kernel's structs; offsets are set at load. */
struct mm_struct___dae {
	unsigned long arg_start;
} __attribute__((preserve_access_index));

struct task_struct___dae {
	struct task_struct___dae *group_leader;
	struct mm_struct___dae *mm;
	__u64 start_boottime;
} __attribute__((preserve_access_index));

static __always_inline __u64 host_process_start(void)
{
	struct task_struct___dae *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* Where the last part of the path at @arg begins. */
static __always_inline __u32 host_base_name(const void *arg)
{
	char path[HOST_ARGUMENT];
	__u32 at = 0, i;

	if (bpf_probe_read_user_str(path, sizeof(path), arg) < 0)
		return 0;
	for (i = 0; i < sizeof(path) - 1; i++) {
		if (path[i] == '\0' || path[i] == ' ')
			break;
		if (path[i] == '/')
			at = i + 1;
	}
	return at;
}

/* Everything from the first NUL or space on is 0. */
static __always_inline void host_end_name(char *name)
{
	bool ended = false;
	int i;

#pragma unroll
	for (i = 0; i < DAE_PNAME_LEN; i++) {
		ended |= name[i] == '\0' || name[i] == ' ';
		if (ended)
			name[i] = '\0';
	}
}

/* The process's name as rules have it: the last part of argv[0], or, where that
 * cannot be read, what the kernel calls the thread. */
__noinline int host_set_name(struct packet *p)
{
	struct task_struct___dae *task = (void *)bpf_get_current_task();
	char name[DAE_PNAME_LEN] = {};
	const void *arg = NULL;

	if (!p)
		return 0;
	if (bpf_core_field_exists(task->mm->arg_start))
		arg = (const void *)BPF_CORE_READ(task, mm, arg_start);
	if (!arg || bpf_probe_read_user(name, sizeof(name),
					arg + host_base_name(arg)) < 0)
		bpf_get_current_comm(name, sizeof(name));
	else
		host_end_name(name);
	__builtin_memcpy(p->pname, name, sizeof(p->pname));
	return 0;
}
