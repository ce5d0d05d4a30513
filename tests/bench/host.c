/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's connect() costs in our hook, by the kernel's own statistics
 * and net of an empty hook that runs for the same calls; and how often a hook
 * of ours runs for what is sent afterwards. Needs root; works in a network
 * namespace and a sub-cgroup of its own.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "common/base.h"
#include "tests/bpf/host_stage.h"

#define ROUNDS 9
#define CONNECTS 4000
#define SENDS 2000

struct cost {
	double ours[ROUNDS], empty[ROUNDS];
};

static int empty_hook(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_0,
		  .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_CGROUP_INET4_CONNECT);

	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "dae_empty", "GPL",
			     insns, ARRAY_LEN(insns), &opts);
}

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info;
}

static void connect_to(int fd, const struct sockaddr_in *to)
{
	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)),
			 0);
}

static int connected(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	connect_to(fd, to);
	return fd;
}

static double per_run(const struct bpf_prog_info *a,
		      const struct bpf_prog_info *b)
{
	assert_int_equal(b->run_cnt - a->run_cnt, CONNECTS);
	return (double)(b->run_time_ns - a->run_time_ns) / CONNECTS;
}

/* One connect() for each: of a new socket, or of the same again and again. */
static void connect_all(const struct sockaddr_in *to, bool again)
{
	int fd = again ? connected(to) : -1, i;

	for (i = again; i < CONNECTS; i++) {
		if (again)
			connect_to(fd, to);
		else
			close(connected(to));
	}
	if (again)
		close(fd);
}

static void measure(int empty, struct cost *c, int round, bool again)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(443) };
	int ours = datapath_host_fd(stage.rig->d, "connect4");
	struct bpf_prog_info e = info_of(empty), o = info_of(ours), e2, o2;

	inet_pton(AF_INET, WORLD_FAR4, &to.sin_addr);
	connect_all(&to, again);
	e2 = info_of(empty);
	o2 = info_of(ours);
	c->empty[round] = per_run(&e, &e2);
	c->ours[round] = per_run(&o, &o2);
}

/* By the rules in force: with a new socket each time, and with one for all. */
static void measure_both(int empty, struct cost *c, int round)
{
	measure(empty, &c[0], round, false);
	measure(empty, &c[1], round, true);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[ROUNDS / 2];
}

static void report_one(const char *name, const char *how, struct cost *c,
		       double goal)
{
	double value = median(c->ours) - median(c->empty);

	printf("{\"name\":\"host_connect_%s%s\",\"value\":%.1f,"
	       "\"unit\":\"ns\",\"goal\":%.0f,\"met\":%s}\n",
	       name, how, value, goal, value <= goal ? "true" : "false");
}

static void report(const char *name, struct cost *c, double goal)
{
	report_one(name, "", &c[0], goal);
	report_one(name, "_again", &c[1], goal);
}

/* Runs of any hook of ours for datagrams of a connected socket. */
static void report_sends(void)
{
	static const char *const hooks[] = { "connect4", "sendmsg4",
					     "recvmsg4" };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(443) };
	uint64_t before = 0, after = 0;
	size_t i;
	int fd;

	inet_pton(AF_INET, WORLD_FAR4, &to.sin_addr);
	fd = connected(&to);
	for (i = 0; i < ARRAY_LEN(hooks); i++)
		before += info_of(datapath_host_fd(stage.rig->d, hooks[i]))
				  .run_cnt;
	for (i = 0; i < SENDS; i++)
		if (send(fd, "x", 1, MSG_DONTWAIT) < 0)
			usleep(10);
	for (i = 0; i < ARRAY_LEN(hooks); i++)
		after += info_of(datapath_host_fd(stage.rig->d, hooks[i]))
				 .run_cnt;
	close(fd);
	printf("{\"name\":\"host_hooks_per_packet\",\"value\":%.3f,"
	       "\"unit\":\"runs\",\"goal\":0,\"met\":%s}\n",
	       (double)(after - before) / SENDS,
	       after == before ? "true" : "false");
}

static void host_costs(void **state)
{
	static struct cost direct[2], proxied[2], redirected[2];
	struct datapath_target t = { .kind = DAE_KIND_TPROXY,
				     .port = 7788,
				     .learns = DAE_LEARNS_REDIRECT };
	const uint16_t ids[] = { 9 };
	int empty = empty_hook(), stats, link, round, fd;

	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	assert_true(empty >= 0 && stats >= 0);
	host_open(*state);
	assert_int_equal(addr_parse("::", &t.listener), 0);
	assert_int_equal(datapath_set_target(stage.rig->d, 9, &t), 0);
	rig_group(stage.rig, 20, ids, 1, DAE_DEAD_BLOCK);
	fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	link = bpf_link_create(empty, fd, BPF_CGROUP_INET4_CONNECT, NULL);
	assert_true(link >= 0);
	app_enter(cgroup);
	for (round = 0; round < ROUNDS; round++) {
		stage_use(&stage, RULE_DIRECT, 0);
		measure_both(empty, direct, round);
		if (round == 0)
			report_sends();
		stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
		measure_both(empty, proxied, round);
		stage_use(&stage, RULE_GROUP, 20);
		measure_both(empty, redirected, round);
	}
	app_enter(NULL);
	report("direct", direct, 40);
	report("proxied", proxied, 90);
	report("rewritten", redirected, 90);
	close(link);
	close(fd);
	close(stats);
	close(empty);
	host_close(*state);
}

int main(void)
{
	void *state = NULL;

	if (rig_setup(&state) != 0)
		return 1;
	host_costs(&state);
	return rig_teardown(&state) != 0;
}
