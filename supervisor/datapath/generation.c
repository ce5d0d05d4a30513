/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/generation.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/lan.skel.h"
#include "common/fd.h"
#include "supervisor/datapath/ask.h"
#include "supervisor/datapath/error.h"
#include "supervisor/datapath/jiffies.h"
#include "supervisor/datapath/tcx_abi.h"

#define FRAG_TIMEOUT_S 30
#define UDP_TIMEOUT_S 120

static void fill_config(struct lan_bpf *skel, const struct maps *m,
			const struct ruleset *rules,
			const struct generation_options *opt)
{
	struct dae_config *c = (struct dae_config *)&skel->rodata->dae_cfg;
	const struct ruleset_header *h = rules->h;
	uint32_t hz = jiffies_hz();

	memcpy(c->seed, maps_control(m)->seed, sizeof(c->seed));
	c->mac_multiplier = h->mac_multiplier;
	c->flow_mask = m->flow_sets - 1;
	c->cpu_mask = m->cpus - 1;
	c->mark = opt->mark & opt->mark_mask;
	c->mark_mask = opt->mark_mask;
	c->udp_jiffies = hz * (opt->udp_timeout_s ? opt->udp_timeout_s
						  : UDP_TIMEOUT_S);
	c->reclassify = opt->reclassify;
	c->frag_jiffies = hz * FRAG_TIMEOUT_S;
	c->word_count = h->word_count;
	c->used_dims = h->used_dims;
	c->mac_miss = h->mac_miss;
	c->domain_miss = h->domain_miss;
	c->domain_mask4 = domain_shape_of(rules).lines4 - 1;
	c->domain_mask6 = domain_shape_of(rules).lines6 - 1;
	c->pname_multiplier = h->pname_multiplier;
	c->pname_shift = h->pname_shift;
	c->pname_miss = h->pname_miss;
	memcpy(c->class_base, h->class_base, sizeof(c->class_base));
}

static void copy_section(const struct ruleset *rules, enum ruleset_section s,
			 void *to)
{
	uint32_t count;
	const void *from = ruleset_section(rules, s, &count);

	memcpy(to, from, count * ruleset_element_size(s));
}

/* Tables of one size are sections of the program: filled before the load. */
static void fill_sections(struct lan_bpf *skel, const struct ruleset *rules)
{
	copy_section(rules, RULESET_DST4, skel->bss_dst4->table_dst4);
	copy_section(rules, RULESET_SRC4, skel->bss_src4->table_src4);
	copy_section(rules, RULESET_DST6, skel->bss_dst6->table_dst6);
	copy_section(rules, RULESET_SRC6, skel->bss_src6->table_src6);
	copy_section(rules, RULESET_DPORT, skel->bss_dport->table_dport);
	copy_section(rules, RULESET_SPORT, skel->bss_sport->table_sport);
	copy_section(rules, RULESET_DSCP, skel->bss_dscp->table_dscp);
	copy_section(rules, RULESET_MAC, skel->bss_mac->table_mac);
	copy_section(rules, RULESET_RULES, skel->bss_rules->table_rules);
	copy_section(rules, RULESET_MUST_MASK, &skel->bss_must->table_must);
}

static int reuse_shared(struct lan_bpf *skel, const struct maps *m)
{
	struct bpf_map *map;
	int i, r;

	for (i = 0; i < MAP_LAN_COUNT; i++) {
		map = bpf_object__find_map_by_name(skel->obj,
						   maps_object_name(i));
		if (!map)
			return -ENOENT;
		r = bpf_map__reuse_fd(map, m->fd[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int size_maps(struct lan_bpf *skel, const struct maps *m,
		     const struct ruleset *rules)
{
	const struct domain_shape shape = domain_shape_of(rules);
	uint32_t nodes, runs, rows, pnames;
	int r;

	ruleset_section(rules, RULESET_NODES, &nodes);
	ruleset_section(rules, RULESET_RUNS, &runs);
	ruleset_section(rules, RULESET_BITMAPS, &rows);
	ruleset_section(rules, RULESET_PNAME, &pnames);
	r = bpf_map__set_max_entries(skel->maps.trie_nodes, MAX(nodes, 1U));
	if (r == 0)
		r = bpf_map__set_max_entries(
			skel->maps.trie_runs,
			MAX((runs + DAE_RUN_CHUNK - 1) / DAE_RUN_CHUNK, 1U));
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.bitmaps,
					     rows + shape.spare_rows);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.domains4, shape.lines4);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.domains6, shape.lines6);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.pnames, pnames);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.memos,
					     m->cpus * DAE_MEMO_SLOTS);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.memos6,
					     m->cpus * DAE_MEMO6_SLOTS);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.pairs4,
					     m->cpus * DAE_PAIR_SLOTS);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.pairs6,
					     m->cpus * DAE_PAIR_SLOTS);
	if (r == 0)
		r = bpf_map__set_max_entries(skel->maps.rule_tally,
					     m->cpus * DAE_RULE_STRIDE);
	return r;
}

static size_t map_bytes(const struct bpf_map *map)
{
	return (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
}

/* Tables with a size of their own are arrays: filled after the load, by
 * mapping them. */
static int fill_map(struct bpf_map *map, const struct ruleset *rules,
		    enum ruleset_section s)
{
	size_t bytes = map_bytes(map);
	void *mem;
	int r;

	r = maps_map(bpf_map__fd(map), bytes, &mem);
	if (r < 0)
		return r;
	copy_section(rules, s, mem);
	munmap(mem, bytes);
	return 0;
}

static int open_domains(struct generation *g, const struct ruleset *rules)
{
	const struct lan_bpf *skel = g->skel;
	const struct domain_shape shape = domain_shape_of(rules);
	const struct domain_maps maps = {
		.domains4 = bpf_map__fd(skel->maps.domains4),
		.domains6 = bpf_map__fd(skel->maps.domains6),
		.bitmaps = bpf_map__fd(skel->maps.bitmaps),
		.row_count = bpf_map__max_entries(skel->maps.bitmaps),
		.seed = (const uint64_t *)skel->rodata->dae_cfg.seed,
		.learned = (uint64_t *)&skel->bss_learned->table_learned,
	};

	return domain_table_open(&g->domains, rules, &shape, &maps);
}

static int fill_maps(struct generation *g, const struct ruleset *rules)
{
	struct lan_bpf *skel = g->skel;
	const struct bpf_map *map;
	void *mem;
	int r;

	r = fill_map(skel->maps.trie_nodes, rules, RULESET_NODES);
	if (r == 0)
		r = fill_map(skel->maps.pnames, rules, RULESET_PNAME);
	if (r == 0)
		r = fill_map(skel->maps.trie_runs, rules, RULESET_RUNS);
	if (r == 0)
		r = fill_map(skel->maps.bitmaps, rules, RULESET_BITMAPS);
	if (r < 0)
		return r;
	r = open_domains(g, rules);
	if (r < 0)
		return r;
	g->rule_tally_bytes = map_bytes(skel->maps.rule_tally);
	r = maps_map(bpf_map__fd(skel->maps.rule_tally), g->rule_tally_bytes,
		     &mem);
	if (r < 0)
		return r;
	g->rule_tally = mem;
	bpf_object__for_each_map(map, skel->obj)
		g->bytes += map_bytes(map);
	return 0;
}

static void set_attach_type(struct lan_bpf *skel, bool is_tcx)
{
	enum bpf_attach_type type = is_tcx ? DAE_TCX_INGRESS : 0;

	bpf_program__set_expected_attach_type(skel->progs.dae_lan_l2, type);
	bpf_program__set_expected_attach_type(skel->progs.dae_lan_l3, type);
}

static int load_host(struct generation *g, const struct maps *m,
		     const struct generation_options *opt,
		     struct datapath_error *err)
{
	struct host_options host = {
		.config = (const struct dae_config *)&g->skel->rodata->dae_cfg,
		.maps = m,
		.so_mark = opt->so_mark,
		.pin_dir = opt->pin_dir,
		.may_adopt = m->was_adopted,
		.before = opt->before ? opt->before->host : NULL,
	};

	return host_load(&g->host, g->skel->obj, &host, err);
}

int generation_new(struct generation **ret, const struct maps *m,
		   const struct ruleset *rules,
		   const struct generation_options *opt,
		   struct datapath_error *err)
{
	struct generation *g = calloc(1, sizeof(*g));
	const char *step = "open";
	int r;

	if (!g)
		return error_set(err, -ENOMEM, "rules");
	g->ask_fd = -1;
	g->skel = lan_bpf__open();
	r = g->skel ? 0 : -errno;
	if (r == 0) {
		step = "prepare";
		set_attach_type(g->skel, opt->is_tcx);
		fill_config(g->skel, m, rules, opt);
		fill_sections(g->skel, rules);
		r = reuse_shared(g->skel, m);
	}
	if (r == 0)
		r = size_maps(g->skel, m, rules);
	if (r == 0) {
		step = "load";
		r = lan_bpf__load(g->skel);
	}
	if (r == 0) {
		step = "fill";
		r = fill_maps(g, rules);
	}
	if (r < 0) {
		generation_free(&g);
		return error_set(err, r, "rules: %s", step);
	}
	r = opt->has_host ? load_host(g, m, opt, err) : 0;
	if (r < 0) {
		generation_free(&g);
		return r;
	}
	*ret = g;
	return 0;
}

void generation_free(struct generation **g)
{
	if (!*g)
		return;
	domain_table_close(&(*g)->domains);
	if ((*g)->rule_tally)
		munmap((*g)->rule_tally, (*g)->rule_tally_bytes);
	fd_close_ptr(&(*g)->ask_fd);
	host_free(&(*g)->host);
	lan_bpf__destroy((*g)->skel);
	free(*g);
	*g = NULL;
}

int generation_ask_fd(struct generation *g)
{
	if (g->ask_fd < 0)
		g->ask_fd = ask_load(g->skel->obj);
	return g->ask_fd;
}

void generation_tap_fds(const struct generation *g, int *ret_filter,
			int *ret_ring)
{
	*ret_filter = bpf_map__fd(g->skel->maps.bss_trace);
	*ret_ring = bpf_map__fd(g->skel->maps.trace_ring);
}

const struct bpf_program *generation_program(const struct generation *g,
					     bool has_mac)
{
	return has_mac ? g->skel->progs.dae_lan_l2 : g->skel->progs.dae_lan_l3;
}

int generation_program_fd(const struct generation *g, bool has_mac)
{
	return bpf_program__fd(generation_program(g, has_mac));
}
