/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules with 300,000 prefixes of IPv4 and a quarter as many of IPv6: what an
 * address costs in the classifier's trie and in the kernel's LPM_TRIE, both with
 * the same content, which is checked first. CPU time of the thread around
 * BPF_PROG_TEST_RUN of a loop over addresses, net of the same loop without a
 * lookup, in turn for many rounds, medians. JSON lines; needs root.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/dae_maps.h"
#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/rules/rules.h"
#include "tests/bench/addresses.h"
#include "tests/bpf/rulegen.h"

/* needs what is above */
#include "bpf/addresses.skel.h"

#define RULES 64
#define ROUNDS_MAX 11
#define HOT 64
#define FRAME 64

struct entry {
	struct prefix p;
	uint32_t rule; /* + 1; the first of all that hold for the prefix */
};

struct set {
	struct entry *e;
	size_t count;
};

enum what { NONE, TRIE, LPM, KINDS };

struct bench {
	struct addresses_bpf *skel;
	struct ruleset rules;
	struct rulegen gen; /* numbers by a seed */
	struct set v4, v6;
	size_t rounds, repeat;
};

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "address_sets: %s\n", why);
	exit(1);
}

static void *need(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		give_up("no memory");
	return p;
}

/* --- prefixes, as lists of countries have them --- */

static uint8_t length_of(struct rulegen *g, uint8_t family)
{
	uint32_t n = rulegen_random(g, 100);

	if (family == 4)
		return (uint8_t)(n < 50	  ? 24
				 : n < 80 ? 20 + rulegen_random(g, 4)
				 : n < 95 ? 16 + rulegen_random(g, 4)
					  : 25 + rulegen_random(g, 8));
	return (uint8_t)(n < 50	  ? 32
			 : n < 80 ? 48
			 : n < 95 ? 29 + rulegen_random(g, 20)
				  : 49 + rulegen_random(g, 16));
}

static void random_address(struct rulegen *g, uint8_t family, struct addr *a)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	a->family = family;
	for (i = family == 4 ? 12 : 0; i < 16; i++)
		a->b[i] = (uint8_t)rulegen_random(g, 256);
	if (family == 4) {
		a->b[10] = a->b[11] = 0xff;
		a->b[12] = (uint8_t)(1 + a->b[12] % 223);
	} else {
		a->b[0] = (uint8_t)(0x20 | (a->b[0] & 15));
	}
}

static void cut_to(struct addr *a, unsigned int len)
{
	unsigned int i = (a->family == 4 ? 96 : 0) + len;

	for (; i < 128; i++)
		a->b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = memcmp(x->p.addr.b, y->p.addr.b, 16);

	return r ? r : (int)x->p.len - (int)y->p.len;
}

/* Sorted; each knows the first rule of all prefixes around it. */
static void nest(struct set *s)
{
	size_t stack[130], depth = 0, i;
	struct entry *e;

	qsort(s->e, s->count, sizeof(*s->e), compare_entries);
	for (i = 0; i < s->count; i++) {
		e = &s->e[i];
		while (depth &&
		       !prefix_contains(&s->e[stack[depth - 1]].p, &e->p.addr))
			depth--;
		if (depth && s->e[stack[depth - 1]].rule < e->rule)
			e->rule = s->e[stack[depth - 1]].rule;
		if (depth && s->e[stack[depth - 1]].p.len == e->p.len)
			depth--; /* the same again, of a later rule or this */
		stack[depth++] = i;
	}
}

static void make_set(struct bench *b, struct set *s, size_t count,
		     uint8_t family)
{
	size_t i;

	s->count = count;
	s->e = need(count, sizeof(*s->e));
	for (i = 0; i < count; i++) {
		random_address(&b->gen, family, &s->e[i].p.addr);
		s->e[i].p.len = length_of(&b->gen, family);
		cut_to(&s->e[i].p.addr, s->e[i].p.len);
		s->e[i].rule = 1 + rulegen_random(&b->gen, RULES);
	}
}

/* --- both tries --- */

static void add_values(struct rule_cond *conds, const struct set *s)
{
	struct rule_cond *c;
	size_t i;

	for (i = 0; i < s->count; i++) {
		c = &conds[s->e[i].rule - 1];
		c->values[c->value_count++].prefix = s->e[i].p;
	}
}

static void compile(struct bench *b)
{
	static struct config_rule rules[RULES];
	static struct rule_cond conds[RULES];
	struct config_routing routing = { .rules = rules, .rule_count = RULES };
	struct rules_options opt = { 0 };
	struct rules_error err;
	struct rules_image img;
	size_t i;

	for (i = 0; i < RULES; i++) {
		conds[i].fn = RULE_DIP;
		conds[i].values = need(b->v4.count + b->v6.count,
				       sizeof(*conds[i].values));
		rules[i] = (struct config_rule){ .conds = &conds[i],
						 .cond_count = 1 };
	}
	add_values(conds, &b->v4);
	add_values(conds, &b->v6);
	if (rules_compile(&routing, &opt, &img, &err) < 0)
		give_up(err.text);
	for (i = 0; i < RULES; i++)
		free(conds[i].values);
	if (ruleset_open(img.data, img.len, &b->rules) < 0)
		give_up("the image is malformed");
}

static void fill_map(struct bpf_map *map, const struct ruleset *r,
		     enum ruleset_section s)
{
	const char *from = ruleset_section(r, s, NULL);
	uint32_t size = bpf_map__value_size(map), i;
	uint32_t bytes, count;
	char chunk[4096];

	ruleset_section(r, s, &count);
	bytes = count * (uint32_t)ruleset_element_size(s);
	for (i = 0; i < bpf_map__max_entries(map); i++) {
		memset(chunk, 0, sizeof(chunk));
		memcpy(chunk, from + (size_t)i * size,
		       MIN(size, bytes - i * size));
		if (bpf_map_update_elem(bpf_map__fd(map), &i, chunk, 0) < 0)
			give_up("a table cannot be filled");
	}
}

static void load(struct bench *b)
{
	struct addresses_bpf *skel = addresses_bpf__open();
	uint32_t nodes, runs, cpus = 1;

	if (!skel)
		give_up("open");
	while (cpus < (uint32_t)libbpf_num_possible_cpus())
		cpus *= 2;
	ruleset_section(&b->rules, RULESET_NODES, &nodes);
	ruleset_section(&b->rules, RULESET_RUNS, &runs);
	bpf_map__set_max_entries(skel->maps.trie_nodes, nodes);
	bpf_map__set_max_entries(skel->maps.trie_runs,
				 (runs + DAE_RUN_CHUNK - 1) / DAE_RUN_CHUNK);
	bpf_map__set_max_entries(skel->maps.memos6, cpus * DAE_MEMO6_SLOTS);
	bpf_map__set_max_entries(skel->maps.lpm4, (uint32_t)b->v4.count);
	bpf_map__set_max_entries(skel->maps.lpm6, (uint32_t)b->v6.count);
	((struct dae_config *)&skel->rodata->dae_cfg)->cpu_mask = cpus - 1;
	memcpy(skel->bss_dst4->table_dst4,
	       ruleset_section(&b->rules, RULESET_DST4, NULL),
	       sizeof(skel->bss_dst4->table_dst4));
	memcpy(skel->bss_dst6->table_dst6,
	       ruleset_section(&b->rules, RULESET_DST6, NULL),
	       sizeof(skel->bss_dst6->table_dst6));
	if (addresses_bpf__load(skel) < 0)
		give_up("load");
	fill_map(skel->maps.trie_nodes, &b->rules, RULESET_NODES);
	fill_map(skel->maps.trie_runs, &b->rules, RULESET_RUNS);
	b->skel = skel;
}

static void fill_lpm(const struct bpf_map *map, const struct set *s)
{
	struct {
		uint32_t len;
		uint8_t addr[16];
	} key;
	size_t i, skip;

	for (i = 0; i < s->count; i++) {
		skip = s->e[i].p.addr.family == 4 ? 12 : 0;
		key.len = s->e[i].p.len;
		memcpy(key.addr, s->e[i].p.addr.b + skip, 16 - skip);
		if (bpf_map_update_elem(bpf_map__fd(map), &key, &s->e[i].rule,
					BPF_ANY) < 0)
			give_up("the kernel's trie cannot be filled");
	}
}

/* Half of them inside of a prefix. */
static void make_address(struct bench *b, const struct set *s, uint8_t family,
			 struct addr *ret)
{
	const struct prefix *p;
	unsigned int i;

	random_address(&b->gen, family, ret);
	if (rulegen_random(&b->gen, 2))
		return;
	p = &s->e[rulegen_random(&b->gen, (uint32_t)s->count)].p;
	for (i = 0; i < p->len; i++) {
		unsigned int at = i + (family == 4 ? 96 : 0);
		uint8_t bit = (uint8_t)(0x80 >> at % 8);

		ret->b[at / 8] = (uint8_t)((ret->b[at / 8] & ~bit) |
					   (p->addr.b[at / 8] & bit));
	}
}

static void make_addresses(struct bench *b)
{
	struct address *to = b->skel->bss_addresses->addresses;
	struct addr a;
	size_t i;

	for (i = 0; i < ADDRESSES; i++) {
		make_address(b, &b->v4, 4, &a);
		memcpy(&to[i].v4, a.b + 12, 4);
		make_address(b, &b->v6, 6, &a);
		memcpy(to[i].v6, a.b, 16);
	}
}

/* --- equality --- */

static void run(const struct bpf_program *prog, size_t repeat)
{
	static uint8_t frame[FRAME] = { [12] = 8 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) < 0)
		give_up("test run");
}

static uint32_t first_rule(const struct bench *b, uint32_t class_id)
{
	const struct dae_bitmap *rows = ruleset_section(&b->rules,
							RULESET_BITMAPS, NULL);

	rows += b->rules.h->class_base[DAE_DIM_DST] + class_id;
	return rows->w[0] ? (uint32_t)__builtin_ctzll(rows->w[0]) + 1 : 0;
}

static void check_equal(struct bench *b, const struct bpf_program *trie,
			const struct bpf_program *lpm)
{
	uint32_t *values = b->skel->bss_values->values;
	uint32_t *kept = need(ADDRESSES, sizeof(*kept));
	size_t i, hits = 0;

	b->skel->bss->position = 0;
	run(trie, ADDRESSES / AT_ONCE);
	for (i = 0; i < ADDRESSES; i++)
		kept[i] = first_rule(b, values[i]);
	b->skel->bss->position = 0;
	run(lpm, ADDRESSES / AT_ONCE);
	for (i = 0; i < ADDRESSES; i++) {
		hits += values[i] != 0;
		if (values[i] != kept[i])
			give_up("the tries do not agree");
	}
	if (hits < ADDRESSES / 4)
		give_up("too few addresses are inside of a prefix");
	free(kept);
}

/* --- time --- */

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double time_one(struct bench *b, const struct bpf_program *prog)
{
	double start = cpu_ns();

	run(prog, b->repeat);
	return (cpu_ns() - start) / (double)(b->repeat * AT_ONCE);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void tell(const char *name, double value, const char *unit, double goal,
		 bool is_least)
{
	bool met = is_least ? value >= goal : value <= goal;

	printf("{\"name\":\"address_sets_%s\",\"value\":%.2f,\"unit\":\"%s\",",
	       name, value, unit);
	if (goal > 0)
		printf("\"goal\":%g,\"met\":%s}\n", goal,
		       met ? "true" : "false");
	else
		printf("\"goal\":null,\"met\":null}\n");
}

static void measure(struct bench *b, const char *name, uint32_t addresses,
		    const struct bpf_program *const *progs)
{
	double ns[KINDS][ROUNDS_MAX], net[KINDS];
	bool is_cold = addresses == ADDRESSES;
	char text[64];
	size_t k, w;

	b->skel->bss->mask = addresses - 1;
	for (w = 0; w < KINDS; w++)
		time_one(b, progs[w]);
	for (k = 0; k < b->rounds; k++)
		for (w = 0; w < KINDS; w++)
			ns[w][k] = time_one(b, progs[w]);
	for (w = 0; w < KINDS; w++) {
		qsort(ns[w], b->rounds, sizeof(double), compare_doubles);
		net[w] = ns[w][b->rounds / 2] - ns[NONE][b->rounds / 2];
	}
	tell(name, net[TRIE], "ns", is_cold ? 50 : 0, false);
	snprintf(text, sizeof(text), "%s_lpm", name);
	tell(text, net[LPM], "ns", 0, false);
	snprintf(text, sizeof(text), "%s_ratio", name);
	tell(text, net[LPM] / MAX(net[TRIE], 0.1), "x", is_cold ? 10 : 0, true);
}

/* --- memory --- */

static double lpm_bytes(const struct bpf_map *map)
{
	unsigned long long n = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return (double)n;
}

static void tell_memory(const struct bench *b)
{
	uint32_t nodes, runs;
	double tables;

	ruleset_section(&b->rules, RULESET_NODES, &nodes);
	ruleset_section(&b->rules, RULESET_RUNS, &runs);
	tables = nodes * sizeof(struct dae_trie_node) + runs * 4.0;
	tell("memory", tables / (1 << 20), "MiB", 11, false);
	tell("memory_roots", 2.0 * DAE_ROOT_SIZE * 4 / (1 << 20), "MiB", 0,
	     false);
	tell("memory_lpm",
	     (lpm_bytes(b->skel->maps.lpm4) + lpm_bytes(b->skel->maps.lpm6)) /
		     (1 << 20),
	     "MiB", 0, false);
	tell("classes", b->rules.h->class_count[DAE_DIM_DST], "", 0, false);
}

int main(int argc, char **argv)
{
	bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
	size_t prefixes = is_short ? 3000 : 300000;
	struct bench b = { .gen = { .state = 11 },
			   .rounds = is_short ? 3 : ROUNDS_MAX,
			   .repeat = is_short ? 4 : 128 };
	const struct bpf_program *v4[KINDS], *v6[KINDS];
	cpu_set_t cpu;

	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		return 77;
	}
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	make_set(&b, &b.v4, prefixes, 4);
	make_set(&b, &b.v6, prefixes / 4, 6);
	compile(&b);
	nest(&b.v4);
	nest(&b.v6);
	load(&b);
	fill_lpm(b.skel->maps.lpm4, &b.v4);
	fill_lpm(b.skel->maps.lpm6, &b.v6);
	make_addresses(&b);
	check_equal(&b, b.skel->progs.keep_trie4, b.skel->progs.keep_lpm4);
	check_equal(&b, b.skel->progs.keep_trie6, b.skel->progs.keep_lpm6);
	v4[NONE] = b.skel->progs.run_none4;
	v4[TRIE] = b.skel->progs.run_trie4;
	v4[LPM] = b.skel->progs.run_lpm4;
	v6[NONE] = b.skel->progs.run_none6;
	v6[TRIE] = b.skel->progs.run_trie6;
	v6[LPM] = b.skel->progs.run_lpm6;
	measure(&b, "v4_hot", HOT, v4);
	measure(&b, "v4_cold", ADDRESSES, v4);
	measure(&b, "v6_hot", HOT, v6);
	measure(&b, "v6_cold", ADDRESSES, v6);
	tell_memory(&b);
	addresses_bpf__destroy(b.skel);
	free((void *)b.rules.base);
	free(b.v4.e);
	free(b.v6.e);
	return 0;
}
