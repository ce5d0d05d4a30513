/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/attach.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "supervisor/datapath/error.h"
#include "supervisor/datapath/netlink.h"
#include "supervisor/datapath/tcx_abi.h"

bool attach_has_tcx(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = DAE_TCX_INGRESS);
	int fd, link;

	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "dae_probe", "GPL", insns,
			   ARRAY_LEN(insns), &opts);
	if (fd < 0)
		return false;
	/* no such interface: a kernel that knows tcx says just that */
	link = bpf_link_create(fd, INT_MAX, DAE_TCX_INGRESS, NULL);
	close(fd);
	if (link >= 0)
		close(link);
	return link == -ENODEV;
}

int attach_has_mac(uint32_t ifindex)
{
	struct ifreq ifr = { 0 };
	int fd, r;

	if (!if_indextoname(ifindex, ifr.ifr_name))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = ioctl(fd, SIOCGIFHWADDR, &ifr) < 0 ? -errno : 0;
	close(fd);
	if (r < 0)
		return r;
	return ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
	       ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
}

static int link_path(char *buf, const char *pin_dir, uint32_t ifindex)
{
	int n = snprintf(buf, PATH_MAX, "%s/link-%u", pin_dir, ifindex);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int attach_remove_link(const char *path)
{
	struct bpf_link *link = bpf_link__open(path);

	if (link) {
		bpf_link__detach(link);
		bpf_link__destroy(link);
	}
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The link an earlier process pinned, if it still sits on the interface. */
static struct bpf_link *adopt_link(const char *path, uint32_t ifindex)
{
	struct bpf_link *link = bpf_link__open(path);
	struct tcx_link_info info = { 0 };
	uint32_t len = sizeof(info);

	if (!link)
		return NULL;
	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len) == 0 &&
	    info.type == DAE_LINK_TYPE_TCX && info.ifindex == ifindex)
		return link;
	bpf_link__destroy(link);
	attach_remove_link(path);
	return NULL;
}

static int set_tcx(struct attachment *a, const struct bpf_program *prog,
		   const char *pin_dir)
{
	LIBBPF_OPTS(bpf_tcx_opts, opts);
	char path[PATH_MAX];
	int r;

	if (pin_dir) {
		r = link_path(path, pin_dir, a->ifindex);
		if (r < 0)
			return r;
		if (!a->link)
			a->link = adopt_link(path, a->ifindex);
	}
	if (a->link) {
		r = bpf_link__update_program(a->link,
					     (struct bpf_program *)prog);
		if (r != -ENOLINK)
			return r;
		/* the device went, another has its number */
		attach_forget(a);
		if (pin_dir)
			attach_remove_link(path);
	}
	a->link = bpf_program__attach_tcx(prog, (int)a->ifindex, &opts);
	if (!a->link)
		return -errno;
	r = pin_dir ? bpf_link__pin(a->link, path) : 0;
	if (r < 0)
		attach_forget(a);
	return r;
}

/* 1: the filter at our handle is ours, 0: there is none. */
static int find_filter(uint32_t ifindex)
{
	return netlink_find_filter(ifindex, ATTACH_TC_HANDLE,
				   ATTACH_TC_PRIORITY, ATTACH_PROGRAM_PREFIX);
}

static int set_clsact(struct attachment *a, const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = ATTACH_TC_HANDLE,
		    .priority = ATTACH_TC_PRIORITY,
		    .prog_fd = bpf_program__fd(prog));
	int r;

	r = bpf_tc_hook_create(&hook);
	if (r < 0 && r != -EEXIST)
		return r;
	r = find_filter(a->ifindex);
	if (r < 0)
		return r;
	if (r == 1)
		opts.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &opts);
}

int attach_remove_filter(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = ATTACH_TC_HANDLE,
		    .priority = ATTACH_TC_PRIORITY);
	int r;

	r = find_filter(ifindex);
	if (r <= 0)
		return r == -EEXIST ? 0 : r;
	r = bpf_tc_detach(&hook, &opts);
	if (r < 0)
		return r;
	if (netlink_has_filters(ifindex) != 0)
		return 0;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	return bpf_tc_hook_destroy(&hook);
}

int attach_set(struct attachment *a, const struct generation *g,
	       const char *pin_dir, struct datapath_error *err)
{
	const struct bpf_program *prog = a->is_lo ? host_lo_program(g->host)
						  : generation_program(
							    g, a->has_mac);
	char path[PATH_MAX];
	int r;

	r = a->is_tcx ? set_tcx(a, prog, pin_dir) : set_clsact(a, prog);
	if (r == -EEXIST)
		return error_text(
			err, r,
			"interface %u: the filter with handle "
			"%#x and priority %u belongs to somebody else",
			a->ifindex, ATTACH_TC_HANDLE, ATTACH_TC_PRIORITY);
	if (r < 0)
		return error_set(err, r, "attach to interface %u (%s)",
				 a->ifindex, a->is_tcx ? "tcx" : "clsact");
	/* the other way of attaching may be left from another configuration */
	if (a->is_tcx)
		attach_remove_filter(a->ifindex);
	else if (pin_dir && link_path(path, pin_dir, a->ifindex) == 0)
		attach_remove_link(path);
	return 0;
}

void attach_forget(struct attachment *a)
{
	if (a->link)
		bpf_link__destroy(a->link);
	a->link = NULL;
}

int attach_remove(struct attachment *a, const char *pin_dir)
{
	char path[PATH_MAX];
	int r = 0;

	if (!a->is_tcx) {
		r = attach_remove_filter(a->ifindex);
		a->ifindex = 0;
		return r;
	}
	if (a->link) {
		r = bpf_link__detach(a->link);
		attach_forget(a);
	}
	if (pin_dir && link_path(path, pin_dir, a->ifindex) == 0 &&
	    unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	a->ifindex = 0;
	return r;
}
