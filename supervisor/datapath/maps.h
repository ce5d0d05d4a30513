/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps that outlive a generation: made or adopted, pinned, mapped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/dae_maps.h"
#include "supervisor/datapath/datapath.h"

enum shared_map {
	MAP_CONTROL,
	MAP_CHOICES,
	MAP_GROUPS,
	MAP_TARGETS,
	MAP_LOCALS,
	MAP_TALLY,
	MAP_FLOWS4,
	MAP_FLOWS6,
	MAP_LAN_COUNT, /* those before are read by all programs */
	MAP_HOST = MAP_LAN_COUNT,
	MAP_HOST_RANGES,
	MAP_COUNT
};

struct maps {
	int fd[MAP_COUNT];
	void *mem[MAP_COUNT]; /* NULL: not mapped (flow tables) */
	size_t bytes[MAP_COUNT];
	uint32_t cpus;	    /* possible ones, rounded up to a power of 2 */
	uint32_t flow_sets; /* of each table */
	bool was_adopted;
};

/* @pin_dir may be NULL. On an error nothing is left open. */
int maps_open(struct maps *m, const char *pin_dir, uint32_t flow_entries,
	      struct datapath_error *err);
void maps_close(struct maps *m);
/* Its name in the pin directory. */
const char *maps_name(enum shared_map i);
/* How the programs call it: a map, or a section. */
const char *maps_object_name(enum shared_map i);

static inline struct dae_control *maps_control(const struct maps *m)
{
	return m->mem[MAP_CONTROL];
}

/* An array map of this shape; mapped to *ret_mem unless it is NULL. The
 * descriptor, or -errno. */
int maps_map(int fd, size_t bytes, void **ret_mem);
