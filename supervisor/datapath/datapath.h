/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side: generations of rules, groups, counters. The only user of
 * libbpf. Nothing blocks; no call needs more than CAP_BPF, CAP_NET_ADMIN and
 * CAP_PERFMON. Order of use:
 *
 *	open -> set_target*, publish_group* -> (load -> attach)*
 *
 * load() builds the next generation beside the running one and changes no
 * packet's way; attach() flips each interface by one link update.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/dae_maps.h"
#include "common/addr.h"
#include "supervisor/config/config_supervisor.h"

struct datapath;

struct datapath_error {
	char text[256]; /* for people: what failed and why */
};

struct datapath_options {
	const char *pin_dir; /* a directory on bpffs, made if missing;
				 * NULL: nothing outlives the process */
	enum attach_mode attach;
	enum loss_policy loss;
	uint64_t loss_after_ns; /* without a heartbeat; 0: never */
	uint32_t mark, mark_mask;
	uint32_t so_mark;	/* of sockets that are never captured */
	const char *cgroup;	/* whose processes' traffic is the host's */
	uint32_t flow_entries;	/* to a family; 0: 65536 */
	uint32_t udp_timeout_s; /* 0: 120 */
};

/* What an outbound node means to the kernel. */
struct datapath_target {
	enum dae_kind kind;   /* DAE_KIND_DIRECT, _BLOCK or _TPROXY */
	uint32_t mark;	      /* DIRECT: of an uplink's policy route */
	struct addr listener; /* TPROXY; unspecified: loopback of both */
	uint16_t port;
	enum dae_learns learns; /* TPROXY: where the host's own flow went */
};

struct datapath_list {
	uint16_t targets[DAE_CANDIDATES_MAX]; /* best first */
	uint16_t count;
	uint16_t last;	/* index of the one in use, for DAE_DEAD_LAST */
	uint64_t alive; /* bit i: targets[i] may take flows */
	enum dae_dead on_all_dead;
	bool is_random; /* new flows spread over all that are alive */
};

struct datapath_counters {
	uint64_t counts[DAE_COUNT_MAX];
	uint64_t rules[DAE_RULE_SLOTS];	 /* flows decided, this generation */
	uint64_t groups[DAE_GROUPS_MAX]; /* flows sent there */
	uint64_t direct, block;
};

struct datapath_status {
	bool is_attached;
	bool was_adopted; /* maps or links of an earlier process */
	bool is_tcx;
	bool has_host; /* the host's own traffic is routed, too */
	uint32_t interface_count;
	uint64_t generation;
	uint32_t flow_entries; /* to a family */
	size_t map_bytes;
};

/* The table of learned addresses of the running generation. */
struct datapath_domains {
	uint32_t entries4, entries6;
	uint32_t capacity4, capacity6; /* 0: no rule asks for names */
	uint32_t classes;	       /* of DAE_DOMAIN_CLASSES */
	/* addresses not entered since the generation began: decided as if no
	 * name were known */
	uint64_t no_room, no_class;
};

/* 0 or -errno with ret_err filled: -EPERM, -EOPNOTSUPP, -ENOMEM, ... Adopts
 * pinned maps and links of the same ABI and sizes, replaces others. */
int datapath_open(struct datapath **ret, const struct datapath_options *opt,
		  struct datapath_error *ret_err);
/* Frees our side. What is pinned or a clsact filter stays and keeps working;
 * datapath_cleanup() removes it. Accepts NULL, sets *d to NULL. */
void datapath_close(struct datapath **d);

/* Whether flows may be decided anew (flowtable.h) by what is loaded next. */
void datapath_set_reclassify(struct datapath *d, bool reclassify);
/* Load @image (checked by ruleset_open()) as the next generation; replaces a
 * loaded one that was not attached. The running one is untouched. */
int datapath_load(struct datapath *d, const void *image, size_t len,
		  struct datapath_error *ret_err);
/* Forget the loaded generation, if it was not attached. */
void datapath_unload(struct datapath *d);
/*
 * Make the loaded generation the running one on exactly the interfaces given
 * (ifindex each, at most DATAPATH_IFACES_MAX), detach it from others. On an
 * error the interfaces already flipped are flipped back. Without a loaded
 * generation the running one is used: interfaces may come and go.
 */
#define DATAPATH_IFACES_MAX 64
int datapath_attach(struct datapath *d, const uint32_t *ifindex, size_t count,
		    struct datapath_error *ret_err);
/* Take the programs off all interfaces; rules and maps stay. */
int datapath_detach(struct datapath *d);

/*
 * The names of @a are in @sets, as numbered by the image of the generation; NULL:
 * no name of it is known any more. For the loaded generation if it is not yet
 * running, else for the running one: new flows see it at once. 0; -ENOSPC
 * (table full) or -EXFULL (too many different combinations): counted, and @a is
 * as if never learned; -EINVAL: no address; -ENOENT: no generation.
 */
int datapath_domain_set(struct datapath *d, const struct addr *a,
			const struct dae_bitmap *sets);
void datapath_read_domains(const struct datapath *d,
			   struct datapath_domains *ret);

int datapath_set_target(struct datapath *d, uint16_t id,
			const struct datapath_target *t);
/* Publish the whole list of (group, class): one switch. */
int datapath_publish_group(struct datapath *d, uint16_t group,
			   enum dae_class class_id,
			   const struct datapath_list *list);
/* Fail over, in the order last published: one 64-bit store for new flows. */
int datapath_set_alive(struct datapath *d, uint16_t group,
		       enum dae_class class_id, uint64_t alive);
void datapath_beat(struct datapath *d, uint64_t now_mono_ns);
/* Addresses whose traffic is for the router itself and passes (own and
 * broadcast addresses). Read from the kernel (RTM_GETADDR); call again on
 * address changes. -E2BIG when they do not fit. */
int datapath_refresh_local(struct datapath *d);

int datapath_read_counters(const struct datapath *d,
			   struct datapath_counters *ret);
/* Flows that each rule of the generation before the running one decided. */
void datapath_read_last_rules(const struct datapath *d,
			      uint64_t ret[DAE_RULE_SLOTS]);
void datapath_read_status(const struct datapath *d,
			  struct datapath_status *ret);
