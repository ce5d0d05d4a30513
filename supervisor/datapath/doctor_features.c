/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the kernel's BPF is there, and what is missing without it. */
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "supervisor/datapath/doctor_report.h"

enum kind { KIND_HELPER, KIND_MAP, KIND_PROGRAM };

static const struct {
	enum kind kind;
	int id;
	enum finding_level level;
	const char *name, *follows;
} features[] = {
	{ KIND_PROGRAM, BPF_PROG_TYPE_SCHED_CLS, FINDING_FAIL,
	  "programs on interfaces", "nothing can be routed" },
	{ KIND_HELPER, BPF_FUNC_sk_assign, FINDING_FAIL, "bpf_sk_assign",
	  "flows cannot be handed to engines" },
	{ KIND_HELPER, BPF_FUNC_skc_lookup_tcp, FINDING_FAIL,
	  "bpf_skc_lookup_tcp", "engines' connections are not found" },
	{ KIND_HELPER, BPF_FUNC_sk_lookup_udp, FINDING_FAIL,
	  "bpf_sk_lookup_udp", "engines' UDP sockets are not found" },
	{ KIND_HELPER, BPF_FUNC_jiffies64, FINDING_FAIL, "bpf_jiffies64",
	  "programs cannot be loaded" },
	{ KIND_PROGRAM, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, FINDING_WARN,
	  "programs at connect",
	  "the host's own traffic and the sockets of workers have no fence" },
	{ KIND_PROGRAM, BPF_PROG_TYPE_CGROUP_SOCKOPT, FINDING_WARN,
	  "programs at getsockopt",
	  "engines cannot ask for the destination of the host's own flows" },
	{ KIND_MAP, BPF_MAP_TYPE_SK_STORAGE, FINDING_WARN, "socket storage",
	  "the host's own traffic is not routed" },
	{ KIND_MAP, BPF_MAP_TYPE_RINGBUF, FINDING_WARN, "ring buffers",
	  "verdicts cannot be watched (daectl route trace)" },
};

static int probe(enum kind kind, int id)
{
	switch (kind) {
	case KIND_HELPER:
		return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS,
					       (enum bpf_func_id)id, NULL);
	case KIND_MAP:
		return libbpf_probe_bpf_map_type((enum bpf_map_type)id, NULL);
	case KIND_PROGRAM:
		return libbpf_probe_bpf_prog_type((enum bpf_prog_type)id, NULL);
	}
	return -1;
}

void doctor_features(struct report *r)
{
	size_t missing = 0;

	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (probe(features[i].kind, features[i].id) != 0)
			continue;
		missing++;
		report_add(r, features[i].level, "features",
			   "this kernel has no %s: %s", features[i].name,
			   features[i].follows);
	}
	if (!missing)
		report_add(
			r, FINDING_OK, "features",
			"programs on interfaces and at sockets, handing over "
			"to sockets, ring buffers");
}
