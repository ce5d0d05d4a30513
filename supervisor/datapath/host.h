/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs for the host's own traffic: cgroup hooks and ingress of lo. */
#pragma once

#include <stdbool.h>

#include "bpf/dae_config.h"
#include "supervisor/datapath/maps.h"

#define HOST_PIN_PREFIX "host-" /* of links and maps in the pin directory */
#define HOST_HOOKS 12

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct host_bpf;

/* Those of one generation. */
struct host_programs {
	struct host_bpf *skel;
};

struct host_options {
	const struct dae_config *config; /* of the generation */
	const struct maps *maps;
	uint32_t so_mark;
	const char *pin_dir; /* NULL: nothing outlives the process */
	bool may_adopt;	     /* pinned maps fit this version */
	const struct host_programs *before; /* whose sockets these know; NULL */
};

/* Load the programs over the tables of @lan. */
int host_load(struct host_programs **ret, const struct bpf_object *lan,
	      const struct host_options *opt, struct datapath_error *err);
void host_free(struct host_programs **h);
/* The program for ingress of lo. */
const struct bpf_program *host_lo_program(const struct host_programs *h);
/* For tests and measurements; "connect4" and the like. -ENOENT. */
int host_program_fd(const struct host_programs *h, const char *hook);

struct host_links {
	struct bpf_link *hooks[HOST_HOOKS];
};

/* Put @h's programs on @cgroup, replacing ours that are there, each by one
 * update. Adopts what an earlier process left. */
int host_attach(struct host_links *l, const struct host_programs *h,
		const char *cgroup, const char *pin_dir,
		struct datapath_error *err);
/* Take them off, with their pins; those of an earlier process as well. */
int host_detach(struct host_links *l, const char *pin_dir);
/* Forget them on our side only. */
void host_forget(struct host_links *l);

/* Tell the programs where targets listen. */
void host_publish_ports(struct maps *m);
/* And which interfaces are wan ones, and which addresses leave by them, as the
 * kernel's routes say; call again when those or the addresses change. */
int host_publish(struct maps *m, const uint32_t *wan, size_t count);
