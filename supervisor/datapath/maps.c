/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/maps.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "supervisor/datapath/error.h"

struct shape {
	const char *name;    /* its pin's */
	const char *section; /* of the programs, if it is one and no array */
	uint32_t value_size;
	uint32_t entries; /* 0: set at run time */
	bool is_mapped;
};

#define MAP(name) "" #name, NULL
#define SECTION(name) "" #name, ".bss." #name
static const struct shape shapes[] = {
	[MAP_CONTROL] = { SECTION(control), sizeof(struct dae_control), 1,
			  true },
	[MAP_CHOICES] = { SECTION(choices),
			  sizeof(uint64_t) * DAE_GROUPS_MAX *DAE_CLASS_COUNT, 1,
			  true },
	[MAP_GROUPS] = { MAP(groups), sizeof(struct dae_group),
			 DAE_GROUPS_MAX *DAE_CLASS_COUNT, true },
	[MAP_TARGETS] = { MAP(targets), sizeof(struct dae_target),
			  DAE_TARGETS_MAX, true },
	[MAP_LOCALS] = { SECTION(locals),
			 sizeof(struct dae_local) * 2 * DAE_LOCAL_SLOTS, 1,
			 true },
	[MAP_TALLY] = { MAP(tally), sizeof(uint64_t), 0, true },
	[MAP_FLOWS4] = { MAP(flows4), sizeof(struct dae_set4), 0, false },
	[MAP_FLOWS6] = { MAP(flows6), sizeof(struct dae_set6), 0, false },
	[MAP_HOST] = { MAP(host), sizeof(struct dae_host), 1, true },
	[MAP_HOST_RANGES] = { MAP(host_ranges), sizeof(struct dae_range),
			      4 * DAE_RANGES_MAX, true },
};
_Static_assert(ARRAY_LEN(shapes) == MAP_COUNT, "shape the new map");

#define FLOW_ENTRIES_DEFAULT 65536
#define FLOW_ENTRIES_MIN 256
#define FLOW_ENTRIES_MAX (1U << 22)

const char *maps_name(enum shared_map i)
{
	return shapes[i].name;
}

const char *maps_object_name(enum shared_map i)
{
	return shapes[i].section ? shapes[i].section : shapes[i].name;
}

static uint32_t round_up_pow2(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint32_t entries_of(const struct maps *m, int i)
{
	if (shapes[i].entries)
		return shapes[i].entries;
	return i == MAP_TALLY ? m->cpus * DAE_TALLY_STRIDE : m->flow_sets;
}

static bool has_shape(const struct maps *m, int i, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_map_get_info_by_fd(fd, &info, &len) == 0 &&
	       info.type == BPF_MAP_TYPE_ARRAY && info.key_size == 4 &&
	       info.value_size == shapes[i].value_size &&
	       info.max_entries == entries_of(m, i) &&
	       info.map_flags & BPF_F_MMAPABLE;
}

static int pin_path(char *buf, const char *dir, int i)
{
	int n = snprintf(buf, PATH_MAX, "%s/%s", dir, shapes[i].name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int maps_map(int fd, size_t bytes, void **ret_mem)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret_mem = p;
	return 0;
}

/* The pinned map if it is there and fits, else a new one. */
static int open_one(struct maps *m, int i, const char *pin_dir, bool may_adopt)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	char path[PATH_MAX];
	int fd, r;

	if (pin_dir) {
		r = pin_path(path, pin_dir, i);
		if (r < 0)
			return r;
		fd = bpf_obj_get(path);
		if (fd >= 0 && may_adopt && has_shape(m, i, fd)) {
			m->fd[i] = fd;
			m->was_adopted = true;
			return 0;
		}
		if (fd >= 0)
			close(fd);
		unlink(path);
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, maps_object_name(i), 4,
			    shapes[i].value_size, entries_of(m, i), &opts);
	if (fd < 0)
		return fd;
	m->fd[i] = fd;
	return pin_dir ? bpf_obj_pin(fd, path) : 0;
}

static int map_one(struct maps *m, int i)
{
	m->bytes[i] = (size_t)entries_of(m, i) * shapes[i].value_size;
	return shapes[i].is_mapped ? maps_map(m->fd[i], m->bytes[i], &m->mem[i])
				   : 0;
}

static int init_control(struct maps *m)
{
	struct dae_control *c = maps_control(m);

	if (c->abi == DAE_MAP_ABI)
		return 0;
	if (getrandom(c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		return -errno;
	c->abi = DAE_MAP_ABI;
	return 0;
}

int maps_open(struct maps *m, const char *pin_dir, uint32_t flow_entries,
	      struct datapath_error *err)
{
	int cpus = libbpf_num_possible_cpus(), i, r = 0;
	bool may_adopt = true;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < MAP_COUNT; i++)
		m->fd[i] = -1;
	if (cpus < 1)
		return error_set(err, -ENODEV, "number of CPUs");
	if (!flow_entries)
		flow_entries = FLOW_ENTRIES_DEFAULT;
	flow_entries = MIN(MAX(flow_entries, (uint32_t)FLOW_ENTRIES_MIN),
			   FLOW_ENTRIES_MAX);
	m->cpus = round_up_pow2((uint32_t)cpus);
	m->flow_sets = round_up_pow2(flow_entries) / 2;
	for (i = 0; i < MAP_COUNT && r == 0; i++) {
		r = open_one(m, i, pin_dir, may_adopt);
		if (r == 0)
			r = map_one(m, i);
		/* the control map is first: it says what the others are */
		if (r == 0 && i == MAP_CONTROL && m->was_adopted &&
		    maps_control(m)->abi != DAE_MAP_ABI)
			may_adopt = m->was_adopted = false;
	}
	if (r == 0)
		r = init_control(m);
	if (r < 0) {
		maps_close(m);
		return error_set(err, r, "map %s",
				 shapes[i > 0 ? i - 1 : 0].name);
	}
	return 0;
}

void maps_close(struct maps *m)
{
	int i;

	for (i = 0; i < MAP_COUNT; i++) {
		if (m->mem[i])
			munmap(m->mem[i], m->bytes[i]);
		if (m->fd[i] >= 0)
			close(m->fd[i]);
		m->mem[i] = NULL;
		m->fd[i] = -1;
	}
}
