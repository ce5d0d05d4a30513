/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet costs in the kernel program, net of an empty program in the
 * same run: CPU time of the thread around BPF_PROG_TEST_RUN, all variants in
 * turn for many rounds, medians. JSON lines on standard output. Needs root;
 * works in a network namespace and a bpffs of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/dae_maps.h"
#include "bpf/domain_entry.h"

#include "bpf/alone.skel.h"
#include "bpf/lan.skel.h"
#include "bpf/vary.skel.h"
#include "common/base.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/datapath/internal.h"
#include "supervisor/rules/rules.h"
#include "tests/bpf/rig.h"

#define ROUNDS 15
#define REPEAT 60000
#define VARIANTS_MAX 40

struct variant {
	char name[64];
	int prog;
	int empty; /* index of the variant to subtract, -1: is one */
	struct frame frame;
	double goal;
	double ns[ROUNDS];
};

static struct variant variants[VARIANTS_MAX];
static size_t variant_count;

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double run_once(const struct variant *v)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = v->frame.b,
		    .data_size_in = 160, .repeat = REPEAT);
	double start = cpu_ns();

	if (bpf_prog_test_run_opts(v->prog, &opts) < 0) {
		perror("test run");
		exit(1);
	}
	return (cpu_ns() - start) / REPEAT;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), compare_doubles);
	return v[ROUNDS / 2];
}

static int add(const char *name, int prog, int empty, const struct frame *f,
	       double goal)
{
	struct variant *v = &variants[variant_count];

	snprintf(v->name, sizeof(v->name), "classifier_%s", name);
	v->prog = prog;
	v->empty = empty;
	v->frame = *f;
	v->goal = goal;
	return (int)variant_count++;
}

static void report(void)
{
	double value;
	size_t i;

	for (i = 0; i < variant_count; i++)
		median(variants[i].ns);
	for (i = 0; i < variant_count; i++) {
		if (variants[i].empty < 0) { /* for scale */
			printf("{\"name\":\"%s\",\"value\":%.1f,"
			       "\"unit\":\"ns\",\"goal\":null,"
			       "\"met\":null}\n",
			       variants[i].name, variants[i].ns[ROUNDS / 2]);
			continue;
		}
		value = variants[i].ns[ROUNDS / 2] -
			variants[variants[i].empty].ns[ROUNDS / 2];
		printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"ns\","
		       "\"goal\":%.0f,\"met\":%s}\n",
		       variants[i].name, value, variants[i].goal,
		       value <= variants[i].goal ? "true" : "false");
	}
}

/* A packet that a late rule of @g sends to a group. */
static void late_packet(struct rulegen *g, uint8_t family,
			struct ruleset_query *ret)
{
	struct ruleset_verdict v;
	struct ruleset_query q;
	int best = -1, i;

	for (i = 0; i < 20000; i++) {
		rulegen_query_lan(g, &q);
		if (q.dst.family != family || q.l4proto != IPPROTO_TCP)
			continue;
		rulegen_oracle(&g->routing, &q, &v);
		if (v.action != DAE_ACTION_GROUP || v.is_dns ||
		    v.rule == DAE_RULE_FALLBACK || (int)v.rule <= best)
			continue;
		best = v.rule;
		*ret = q;
	}
	if (best < 0) {
		fprintf(stderr, "no packet reaches a group\n");
		exit(1);
	}
}

/* Turn the entries of the flow that @f just made into a listener's. */
static void make_proxied(struct rig *r, const struct frame *f)
{
	bool is_v6 = f->b[f->l3] >> 4 == 6;
	const struct maps *m = datapath_maps(r->d);
	int fd = m->fd[is_v6 ? MAP_FLOWS6 : MAP_FLOWS4];
	union {
		struct dae_set4 four;
		struct dae_set6 six;
	} set;
	struct rig_result got;
	uint32_t i, w, ports;
	__u64 *verdict;

	memcpy(&ports, f->b + f->l4, 4);
	for (i = 0; i < m->flow_sets; i++) {
		bpf_map_lookup_elem(fd, &i, &set);
		for (w = 0; w < 2; w++) {
			verdict = is_v6 ? &set.six.way[w].verdict
					: &set.four.way[w].verdict;
			if (*verdict &&
			    (uint32_t)(is_v6 ? set.six.way[w].key[4]
					     : set.four.way[w].key[1]) == ports)
				*verdict = (*verdict & ~DAE_FLOW_KIND) |
					   DAE_KIND_TPROXY;
		}
		bpf_map_update_elem(fd, &i, &set, BPF_ANY);
	}
	got = rig_run(r, f);
	if (got.mark != RIG_MARK) {
		fprintf(stderr, "the flow is not proxied\n");
		exit(1);
	}
}

static void add_established(struct rig *r, struct rulegen *g, int empty)
{
	static const uint8_t families[] = { 4, 6 };
	int prog = datapath_program_fd(r->d, true);
	struct ruleset_query q;
	struct frame f;
	char name[48];
	size_t i;
	int proxied;

	for (i = 0; i < 2; i++)
		for (proxied = 0; proxied < 2; proxied++) {
			late_packet(g, families[i], &q);
			q.sport = (uint16_t)(40000 + i * 2 + proxied);
			frame_make(&f, &q, RIG_SYN, true);
			rig_run(r, &f);
			f.b[f.l4 + 13] = RIG_ACK;
			if (proxied)
				make_proxied(r, &f);
			snprintf(name, sizeof(name), "established_v%u_%s",
				 families[i], proxied ? "proxied" : "direct");
			add(name, prog, empty, &f, families[i] == 4 ? 15 : 20);
		}
}

/* Destinations and ports that @g's rules were made for, as often as not. */
static void fill_pool(struct vary_bpf *skel, struct rulegen *g)
{
	struct ruleset_query q;
	size_t i;

	for (i = 0; i < ARRAY_LEN(skel->bss->vary_pool); i++) {
		do {
			rulegen_query_lan(g, &q);
		} while (q.dst.family != 4 || q.l4proto != IPPROTO_TCP);
		memcpy(&skel->bss->vary_pool[i].dst, q.dst.b + 12, 4);
		skel->bss->vary_pool[i].sport = htons(q.sport);
		skel->bss->vary_pool[i].dport = htons(q.dport);
	}
}

/* Its own wrapper for each set of rules: the program array holds one. With @g,
 * destinations and ports vary. */
static int wrap(int prog, bool is_tcx, struct rulegen *g)
{
	struct vary_bpf *skel = vary_bpf__open();
	uint32_t zero = 0;

	if (skel && !is_tcx) {
		bpf_program__set_expected_attach_type(skel->progs.vary, 0);
		bpf_program__set_expected_attach_type(skel->progs.vary_all, 0);
		bpf_program__set_expected_attach_type(skel->progs.nothing, 0);
	}
	if (!skel || vary_bpf__load(skel) < 0)
		exit(1);
	if (prog < 0)
		prog = bpf_program__fd(skel->progs.nothing);
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.next), &zero, &prog,
				BPF_ANY) < 0) {
		perror("tail call");
		exit(1);
	}
	if (!g)
		return bpf_program__fd(skel->progs.vary);
	fill_pool(skel, g);
	return bpf_program__fd(skel->progs.vary_all);
}

/* A map that program @prog uses, by its name or the section's; -1: none. */
static int find_map(int prog, const char *name)
{
	uint32_t ids[64], len = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info = { .nr_map_ids = ARRAY_LEN(ids),
				      .map_ids = (uintptr_t)ids };
	struct bpf_map_info map;
	const char *from;
	int fd;

	if (bpf_prog_get_info_by_fd(prog, &info, &len) < 0)
		exit(1);
	for (i = 0; i < info.nr_map_ids && i < ARRAY_LEN(ids); i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		memset(&map, 0, sizeof(map));
		len = sizeof(map);
		if (fd < 0 || bpf_map_get_info_by_fd(fd, &map, &len) < 0)
			exit(1);
		/* a section's name stands behind that of its object */
		from = *name == '.' ? strchr(map.name, '.') : map.name;
		if (from && strcmp(from, name) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

/* The program that asks the rules of @prog's generation and does nothing else. */
static int open_alone(int prog)
{
	struct alone_bpf *skel = alone_bpf__open();
	static union {
		struct lan_bpf__rodata known;
		char all[4096]; /* tables without a name follow */
	} constants;
	uint32_t zero = 0;
	struct bpf_map *map;
	int fd;

	fd = find_map(prog, ".rodata");
	if (!skel || fd < 0 || bpf_map_lookup_elem(fd, &zero, &constants) < 0)
		exit(1);
	close(fd);
	memcpy((void *)&skel->rodata->dae_cfg, (void *)&constants.known.dae_cfg,
	       sizeof(constants.known.dae_cfg));
	bpf_object__for_each_map(map, skel->obj) {
		if (strcmp(bpf_map__name(map), ".rodata") == 0)
			continue;
		fd = find_map(prog, bpf_map__name(map));
		if (fd >= 0 && bpf_map__reuse_fd(map, fd) < 0)
			exit(1);
		if (fd >= 0)
			close(fd);
	}
	if (alone_bpf__load(skel) < 0)
		exit(1);
	return bpf_program__fd(skel->progs.alone);
}

static void add_new_flows(struct rig *r, struct rulegen *g, size_t rules,
			  int empty, int empty_vary)
{
	static const uint8_t families[] = { 4, 6 };
	int prog = datapath_program_fd(r->d, true), vary;
	struct datapath_status status;
	struct ruleset_query q;
	struct frame f;
	char name[48];
	size_t i;

	datapath_read_status(r->d, &status);
	vary = wrap(prog, status.is_tcx, NULL);
	for (i = 0; i < 2; i++) {
		late_packet(g, families[i], &q);
		frame_make(&f, &q, RIG_SYN, true);
		snprintf(name, sizeof(name), "new_hot_v%u_%zu", families[i],
			 rules);
		add(name, prog, empty, &f, rules > 100 ? 30 : 25);
		snprintf(name, sizeof(name), "new_fresh_v%u_%zu", families[i],
			 rules);
		add(name, vary, empty_vary, &f, 150);
	}
}

/*
 * 4096 packets in turn, none like the one before: new flows through a flow table
 * that stays in the CPU's cache, and the rules alone, which is what the goal was
 * set by.
 */
static void add_random(struct rig *r, struct rulegen *g, size_t rules,
		       const struct frame *f)
{
	double goal = rules <= 10 ? 30 : rules <= 100 ? 40 : 100;
	int prog = datapath_program_fd(r->d, true), empty;
	struct datapath_status status;
	char name[48];

	datapath_read_status(r->d, &status);
	snprintf(name, sizeof(name), "empty_random_%zu", rules);
	empty = add(name, wrap(-1, status.is_tcx, g), -1, f, 0);
	snprintf(name, sizeof(name), "new_random_v4_%zu", rules);
	add(name, wrap(prog, status.is_tcx, g), empty, f, goal);
	snprintf(name, sizeof(name), "rules_random_v4_%zu", rules);
	add(name, wrap(open_alone(prog), status.is_tcx, g), empty, f, goal);
}

/*
 * A new flow with the lookup of its listener and the assignment. Where test
 * runs refuse to assign (the frame is not at an ingress of tc), there is nothing
 * to measure that a packet would ever cost.
 */
static void add_assigned(struct rig *r, struct rulegen *g, int empty)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ruleset_query q;
	struct frame f;
	uint16_t i;

	if (fd < 0 ||
	    setsockopt(fd, SOL_IP, IP_TRANSPARENT, &(int){ 1 }, sizeof(int)) <
		    0 ||
	    bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		perror("listener");
		exit(1);
	}
	for (i = 0; i < RULEGEN_GROUPS; i++)
		rig_target_tproxy(r, i, "127.0.0.1", ntohs(at.sin_port));
	late_packet(g, 4, &q);
	frame_make(&f, &q, RIG_SYN, true);
	if (rig_run(r, &f).mark == RIG_MARK)
		add("new_assigned_v4", datapath_program_fd(r->d, true), empty,
		    &f, 50);
	else
		fprintf(stderr,
			"not measured: a new flow with its listener assigned, "
			"which a test run refuses (%llu times)\n",
			(unsigned long long)rig_count(r,
						      DAE_COUNT_ASSIGN_FAILED));
}

static void measure(void)
{
	size_t i;
	int k;

	for (i = 0; i < variant_count; i++)
		run_once(&variants[i]);
	for (k = 0; k < ROUNDS; k++)
		for (i = 0; i < variant_count; i++)
			variants[i].ns[k] = run_once(&variants[i]);
}

static struct rig *open_rules(const struct rig *from, struct rulegen *g,
			      size_t rules, uint32_t flow_entries)
{
	static unsigned int number;
	struct rig *r = calloc(1, sizeof(*r));
	uint16_t i;

	if (!r)
		exit(1);
	*r = *from;
	snprintf(r->pins, sizeof(r->pins), "%.60s/p%u", r->bpffs, number++);
	rulegen_make(g, RULEGEN_MIX, rules, 4242 + rules);
	rig_open(r, ATTACH_AUTO, flow_entries);
	rig_load(r, &g->routing);
	for (i = 0; i < RULEGEN_GROUPS; i++) {
		rig_target_mark(r, i, 0x100U + i);
		rig_group(r, i, &i, 1, DAE_DEAD_BLOCK);
	}
	return r;
}

int main(void)
{
	static const size_t counts[] = { 10, 100, 1000 };
	static struct rulegen g[2 * ARRAY_LEN(counts) + 1];
	struct rig *rigs[ARRAY_LEN(g)];
	struct vary_bpf *plain = NULL;
	struct frame f = { 0 };
	struct ruleset_query q;
	void *state;
	int empty, empty_vary;
	size_t i, n = 0;

	if (rig_setup(&state) < 0)
		return 1;
	plain = vary_bpf__open_and_load();
	if (!plain) {
		fprintf(stderr, "needs a kernel with tcx program types\n");
		return 77;
	}
	query_make(&q, "192.168.0.1", "1.1.1.1", IPPROTO_TCP, 80);
	frame_make(&f, &q, RIG_ACK, true);
	empty = add("empty", bpf_program__fd(plain->progs.nothing), -1, &f, 0);
	empty_vary = add("empty_varied", wrap(-1, true, NULL), -1, &f, 0);
	for (i = 0; i < ARRAY_LEN(counts); i++, n++) {
		rigs[n] = open_rules(state, &g[n], counts[i], 131072);
		if (counts[i] == 100)
			add_established(rigs[n], &g[n], empty);
		add_new_flows(rigs[n], &g[n], counts[i], empty, empty_vary);
	}
	frame_make(&f, &q, RIG_SYN, true);
	for (i = 0; i < ARRAY_LEN(counts); i++, n++) {
		rigs[n] = open_rules(state, &g[n], counts[i], 1024);
		add_random(rigs[n], &g[n], counts[i], &f);
	}
	rigs[n] = open_rules(state, &g[n], 100, 1024);
	add_assigned(rigs[n], &g[n], empty);
	measure();
	report();
	for (i = 0; i <= n; i++) {
		rig_close(rigs[i]);
		free(rigs[i]);
		rulegen_free(&g[i]);
	}
	rig_teardown(&state);
	return 0;
}
