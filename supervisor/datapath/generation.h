/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One set of rules in the kernel: programs and the tables they read. */
#pragma once

#include "common/ruleset.h"
#include "supervisor/datapath/domains.h"
#include "supervisor/datapath/host.h"
#include "supervisor/datapath/maps.h"

struct lan_bpf;
struct bpf_program;

struct generation {
	struct lan_bpf *skel;
	struct domain_table domains;
	struct host_programs *host; /* NULL: the LAN's traffic alone */
	uint64_t *rule_tally;
	size_t rule_tally_bytes;
	size_t bytes; /* of all its maps */
	uint64_t number;
	int ask_fd; /* -1: not wanted yet */
};

struct generation_options {
	bool is_tcx;
	uint32_t mark, mark_mask;
	uint32_t udp_timeout_s;
	bool has_host; /* the host's own traffic, too: */
	uint32_t so_mark;
	const char *pin_dir;
	const struct generation *before; /* NULL: the first one */
	bool reclassify;
};

/* Load @rules over the shared maps; nothing is attached. */
int generation_new(struct generation **ret, const struct maps *m,
		   const struct ruleset *rules,
		   const struct generation_options *opt,
		   struct datapath_error *err);
/* Accepts NULL, sets *g to NULL. Attached programs stay in the kernel. */
void generation_free(struct generation **g);
/* The program that answers questions about the tables, or -errno. */
int generation_ask_fd(struct generation *g);
/* The filter and the ring of traced decisions. */
void generation_tap_fds(const struct generation *g, int *ret_filter,
			int *ret_ring);
/* The program for a link with or without a MAC header. */
const struct bpf_program *generation_program(const struct generation *g,
					     bool has_mac);
int generation_program_fd(const struct generation *g, bool has_mac);
