/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet costs in the kernel program, net of an empty program in the
 * same run: CPU time of the thread around BPF_PROG_TEST_RUN, all variants in
 * turn for many rounds, medians. JSON lines on standard output. Needs root;
 * works in a network namespace and a bpffs of its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

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
		rulegen_query(g, &q);
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

/* Its own wrapper for each set of rules: the program array holds one. */
static int wrap(int prog, bool is_tcx)
{
	struct vary_bpf *skel = vary_bpf__open();
	uint32_t zero = 0;

	if (skel && !is_tcx) {
		bpf_program__set_expected_attach_type(skel->progs.vary, 0);
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
	return bpf_program__fd(skel->progs.vary);
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
	vary = wrap(prog, status.is_tcx);
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

static void open_rules(struct rig *r, struct rulegen *g, size_t rules)
{
	uint16_t i;

	rulegen_make(g, RULEGEN_MIX, rules, 4242 + rules);
	rig_open(r, ATTACH_AUTO, 131072);
	rig_load(r, &g->routing);
	for (i = 0; i < RULEGEN_GROUPS; i++) {
		rig_target_mark(r, i, 0x100U + i);
		rig_group(r, i, &i, 1, DAE_DEAD_BLOCK);
	}
}

int main(void)
{
	static const size_t counts[] = { 10, 100, 1000 };
	static struct rulegen g[ARRAY_LEN(counts)];
	struct vary_bpf *plain = NULL;
	struct rig *rigs[ARRAY_LEN(counts)];
	struct frame f = { 0 };
	struct ruleset_query q;
	void *state;
	int empty, empty_vary;
	size_t i;

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
	empty_vary = add("empty_varied", wrap(-1, true), -1, &f, 0);
	for (i = 0; i < ARRAY_LEN(counts); i++) {
		rigs[i] = calloc(1, sizeof(*rigs[i]));
		if (!rigs[i])
			return 1;
		*rigs[i] = *(struct rig *)state;
		snprintf(rigs[i]->pins, sizeof(rigs[i]->pins), "%.60s/p%zu",
			 rigs[i]->bpffs, i);
		open_rules(rigs[i], &g[i], counts[i]);
		if (counts[i] == 100)
			add_established(rigs[i], &g[i], empty);
		add_new_flows(rigs[i], &g[i], counts[i], empty, empty_vary);
	}
	measure();
	report();
	for (i = 0; i < ARRAY_LEN(counts); i++) {
		rig_close(rigs[i]);
		free(rigs[i]);
		rulegen_free(&g[i]);
	}
	rig_teardown(&state);
	return 0;
}
