/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/host.skel.h"
#include "common/fd.h"
#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/cgroup_link.h"
#include "supervisor/datapath/error.h"

static const struct hook {
	const char *name, *program;
} hooks[HOST_HOOKS] = {
	/* first what asks, last what decides: an engine must be known, and an
	 * answer translated, before the first flow is turned */
	{ "recvmsg4", "dae_host_r4" },	   { "recvmsg6", "dae_host_r6" },
	{ "getpeername4", "dae_host_p4" }, { "getpeername6", "dae_host_p6" },
	{ "getsockname4", "dae_host_n4" }, { "getsockname6", "dae_host_n6" },
	{ "getsockopt", "dae_host_opt" },  { "sockops", "dae_host_ops" },
	{ "sendmsg4", "dae_host_s4" },	   { "sendmsg6", "dae_host_s6" },
	{ "connect4", "dae_host_c4" },	   { "connect6", "dae_host_c6" },
};

/* What is remembered of sockets and processes, for all generations. */
static const char *const memories[] = { "host_sockets", "host_exempt",
					"host_origins" };

static int pin_path(char *buf, const char *dir, const char *name)
{
	int n = snprintf(buf, PATH_MAX, "%s/" HOST_PIN_PREFIX "%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int share_memory(struct bpf_map *map, const struct host_options *opt)
{
	const char *name = bpf_map__name(map);
	const struct bpf_map *before;
	char path[PATH_MAX];
	int r;

	if (opt->before) {
		before = bpf_object__find_map_by_name(opt->before->skel->obj,
						      name);
		return before ? bpf_map__reuse_fd(map, bpf_map__fd(before))
			      : -ENOENT;
	}
	if (!opt->pin_dir)
		return 0;
	r = pin_path(path, opt->pin_dir, name);
	if (r < 0)
		return r;
	if (!opt->may_adopt)
		unlink(path);
	return bpf_map__set_pin_path(map, path);
}

/* Tables and shared maps are those that the programs of the LAN read. */
static int share_maps(struct host_bpf *skel, const struct bpf_object *lan,
		      const struct host_options *opt)
{
	struct bpf_map *map;
	const struct bpf_map *other;
	size_t i;
	int r = 0;

	bpf_object__for_each_map(map, skel->obj) {
		if (map == skel->maps.rodata)
			continue;
		other = bpf_object__find_map_by_name(lan, bpf_map__name(map));
		if (other)
			r = bpf_map__reuse_fd(map, bpf_map__fd(other));
		if (r < 0)
			return r;
	}
	for (i = MAP_LAN_COUNT; r == 0 && i < MAP_COUNT; i++) {
		map = bpf_object__find_map_by_name(skel->obj,
						   maps_object_name(i));
		r = map ? bpf_map__reuse_fd(map, opt->maps->fd[i]) : -ENOENT;
	}
	for (i = 0; r == 0 && i < ARRAY_LEN(memories); i++) {
		map = bpf_object__find_map_by_name(skel->obj, memories[i]);
		r = map ? share_memory(map, opt) : -ENOENT;
	}
	return r;
}

/* Cookie of the namespace we are in, by a socket of it. */
static int own_namespace(uint64_t *ret)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);

	if (fd < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len) < 0)
		return -errno;
	return 0;
}

static int fill(struct host_bpf *skel, const struct host_options *opt)
{
	uint64_t netns = 0;
	int r = own_namespace(&netns);

	if (r < 0)
		return r;
	memcpy((void *)&skel->rodata->dae_cfg, opt->config,
	       sizeof(*opt->config));
	skel->rodata->dae_cfg.is_host = 1;
	skel->rodata->host_cfg.netns = netns;
	skel->rodata->host_cfg.so_mark = opt->so_mark;
	return 0;
}

int host_load(struct host_programs **ret, const struct bpf_object *lan,
	      const struct host_options *opt, struct datapath_error *err)
{
	struct host_programs *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return error_set(err, -ENOMEM, "host's traffic");
	h->skel = host_bpf__open();
	r = h->skel ? 0 : -errno;
	if (r == 0)
		r = fill(h->skel, opt);
	if (r == 0)
		r = share_maps(h->skel, lan, opt);
	if (r == 0)
		r = host_bpf__load(h->skel);
	if (r < 0) {
		host_free(&h);
		return error_set(err, r, "host's traffic: load");
	}
	*ret = h;
	return 0;
}

void host_free(struct host_programs **h)
{
	if (!*h)
		return;
	host_bpf__destroy((*h)->skel);
	free(*h);
	*h = NULL;
}

const struct bpf_program *host_lo_program(const struct host_programs *h)
{
	return h->skel->progs.dae_lan_lo;
}

int host_program_fd(const struct host_programs *h, const char *hook)
{
	const struct bpf_program *prog;
	size_t i;

	for (i = 0; i < HOST_HOOKS; i++) {
		if (strcmp(hooks[i].name, hook) != 0)
			continue;
		prog = bpf_object__find_program_by_name(h->skel->obj,
							hooks[i].program);
		return prog ? bpf_program__fd(prog) : -ENOENT;
	}
	return -ENOENT;
}

int host_attach(struct host_links *l, const struct host_programs *h,
		const char *cgroup, const char *pin_dir,
		struct datapath_error *err)
{
	auto_fd int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct bpf_program *prog;
	char path[PATH_MAX];
	int r = fd < 0 ? -errno : 0, i;

	for (i = 0; r == 0 && i < HOST_HOOKS; i++) {
		prog = bpf_object__find_program_by_name(h->skel->obj,
							hooks[i].program);
		r = pin_dir ? pin_path(path, pin_dir, hooks[i].name) : 0;
		if (r == 0)
			r = cgroup_link_set(&l->hooks[i], prog, fd,
					    pin_dir ? path : NULL);
	}
	if (r < 0)
		return error_set(err, r, "host's traffic: %s on cgroup %s",
				 i ? hooks[i - 1].name : "programs", cgroup);
	return 0;
}

void host_forget(struct host_links *l)
{
	for (int i = 0; i < HOST_HOOKS; i++) {
		if (l->hooks[i])
			bpf_link__destroy(l->hooks[i]);
		l->hooks[i] = NULL;
	}
}

int host_detach(struct host_links *l, const char *pin_dir)
{
	char path[PATH_MAX];
	int r = 0, q;

	/* what decides first, what translates last */
	for (int i = HOST_HOOKS - 1; i >= 0; i--) {
		q = l->hooks[i] ? bpf_link__detach(l->hooks[i]) : 0;
		if (pin_dir && pin_path(path, pin_dir, hooks[i].name) == 0)
			attach_remove_link(path);
		r = r < 0 ? r : q;
	}
	host_forget(l);
	return r;
}
