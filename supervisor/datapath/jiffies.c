/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/jiffies.h"

#include <errno.h>
#include <time.h>

#include <bpf/bpf.h>
#include <linux/if_ether.h>

#include "common/base.h"

/* The coarse clock moves once a tick. */
uint32_t jiffies_hz(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) < 0 || res.tv_sec ||
	    res.tv_nsec <= 0)
		return 250;
	return (uint32_t)((NS_PER_S + (uint64_t)res.tv_nsec / 2) /
			  (uint64_t)res.tv_nsec);
}

static int load(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "dae_jiffies", "GPL",
			     insns, ARRAY_LEN(insns), NULL);
}

int jiffies_now(uint32_t *ret, uint32_t *ret_hz)
{
	static int fd = -1;
	char frame[ETH_HLEN + 20] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = 1);
	int r;

	if (fd < 0)
		fd = load();
	if (fd < 0)
		return fd;
	r = bpf_prog_test_run_opts(fd, &opts);
	if (r < 0)
		return r;
	*ret = opts.retval;
	*ret_hz = jiffies_hz();
	return 0;
}
