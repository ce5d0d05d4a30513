/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/fence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/fence.skel.h"
#include "bpf/fence_maps.h"
#include "supervisor/datapath/cgroup_link.h"
#include "supervisor/datapath/error.h"

#define PROGRAMS 4

_Static_assert((int)FENCE_PROBE == (int)DAE_FENCE_PROBE &&
		       (int)FENCE_RELAY == (int)DAE_FENCE_RELAY &&
		       (int)FENCE_LISTENER == (int)DAE_FENCE_LISTENER,
	       "one enum, two spellings");

struct fence {
	struct fence_bpf *skel;
	struct bpf_link *links[PROGRAMS];
};

static const char *const pin_names[PROGRAMS] = {
	FENCE_PIN_PREFIX "connect4",
	FENCE_PIN_PREFIX "connect6",
	FENCE_PIN_PREFIX "sendmsg4",
	FENCE_PIN_PREFIX "sendmsg6",
};

static int pin_path(char *buf, const char *dir, const char *name)
{
	int n = snprintf(buf, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Classes and nodes outlive us with the programs that read them. */
static int pin_maps(struct fence_bpf *skel, const char *dir)
{
	const struct {
		struct bpf_map *map;
		const char *name;
	} maps[] = {
		{ skel->maps.fence_marks, FENCE_PIN_PREFIX "marks" },
		{ skel->maps.fence_nodes, FENCE_PIN_PREFIX "nodes" },
		{ skel->maps.fence_denials, FENCE_PIN_PREFIX "denials" },
	};
	char path[PATH_MAX];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < ARRAY_LEN(maps); i++) {
		r = pin_path(path, dir, maps[i].name);
		if (r == 0)
			r = bpf_map__set_pin_path(maps[i].map, path);
	}
	return r;
}

static int attach_one(struct fence *f, int i, const struct bpf_program *prog,
		      int cgroup, const char *pin_dir)
{
	char path[PATH_MAX];
	int r = pin_dir ? pin_path(path, pin_dir, pin_names[i]) : 0;

	if (r < 0)
		return r;
	return cgroup_link_set(&f->links[i], prog, cgroup,
			       pin_dir ? path : NULL);
}

static int attach_all(struct fence *f, const struct fence_options *opt)
{
	const struct bpf_program *programs[PROGRAMS] = {
		f->skel->progs.dae_fence_c4,
		f->skel->progs.dae_fence_c6,
		f->skel->progs.dae_fence_s4,
		f->skel->progs.dae_fence_s6,
	};
	int fd = open(opt->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int i, r = 0;

	if (fd < 0)
		return -errno;
	for (i = 0; r == 0 && i < PROGRAMS; i++)
		r = attach_one(f, i, programs[i], fd, opt->pin_dir);
	close(fd);
	return r;
}

int fence_open(struct fence **ret, const struct fence_options *opt,
	       struct datapath_error *ret_err)
{
	struct fence *f;
	int r;

	if (!opt->worker_uid)
		return error_set(ret_err, -EINVAL, "fence: workers as root");
	error_capture_libbpf();
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_set(ret_err, -ENOMEM, "fence");
	if (opt->pin_dir && mkdir(opt->pin_dir, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		fence_close(&f);
		return error_set(ret_err, r, "mkdir %s", opt->pin_dir);
	}
	f->skel = fence_bpf__open();
	r = f->skel ? 0 : -errno;
	if (r == 0) {
		f->skel->rodata->fence_uid = opt->worker_uid;
		r = opt->pin_dir ? pin_maps(f->skel, opt->pin_dir) : 0;
	}
	if (r == 0)
		r = fence_bpf__load(f->skel);
	if (r == 0)
		r = attach_all(f, opt);
	if (r < 0) {
		fence_close(&f);
		return error_set(ret_err, r, "fence on %s", opt->cgroup);
	}
	*ret = f;
	return 0;
}

void fence_close(struct fence **f)
{
	int i;

	if (!*f)
		return;
	for (i = 0; i < PROGRAMS; i++)
		if ((*f)->links[i])
			bpf_link__destroy((*f)->links[i]);
	fence_bpf__destroy((*f)->skel);
	free(*f);
	*f = NULL;
}

int fence_set_class(struct fence *f, uint32_t mark, enum fence_class c)
{
	uint32_t value = c;

	return bpf_map_update_elem(bpf_map__fd(f->skel->maps.fence_marks),
				   &mark, &value, BPF_ANY);
}

static struct dae_fence_node node_of(const struct addr *addr, uint16_t port)
{
	struct dae_fence_node n = { .port = htons(port) };

	memcpy(n.addr, addr->b, sizeof(n.addr));
	return n;
}

int fence_allow(struct fence *f, const struct addr *addr, uint16_t port)
{
	struct dae_fence_node n = node_of(addr, port);
	uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(f->skel->maps.fence_nodes), &n,
				   &one, BPF_ANY);
}

int fence_forbid(struct fence *f, const struct addr *addr, uint16_t port)
{
	struct dae_fence_node n = node_of(addr, port);

	return bpf_map_delete_elem(bpf_map__fd(f->skel->maps.fence_nodes), &n);
}

uint64_t fence_denied(const struct fence *f)
{
	uint32_t zero = 0;
	uint64_t n = 0;

	bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.fence_denials), &zero,
			    &n);
	return n;
}
