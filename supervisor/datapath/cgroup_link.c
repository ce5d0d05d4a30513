/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/cgroup_link.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "supervisor/datapath/attach.h"

/* The pinned link if it still sits on the cgroup with this number. */
static struct bpf_link *adopt(const char *path, uint64_t cgroup_id)
{
	struct bpf_link *link = bpf_link__open(path);
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	if (!link)
		return NULL;
	if (bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &len) == 0 &&
	    info.type == BPF_LINK_TYPE_CGROUP &&
	    info.cgroup.cgroup_id == cgroup_id)
		return link;
	bpf_link__destroy(link);
	attach_remove_link(path);
	return NULL;
}

int cgroup_link_set(struct bpf_link **link, const struct bpf_program *prog,
		    int cgroup, const char *path)
{
	struct stat st;
	int r;

	if (fstat(cgroup, &st) < 0)
		return -errno;
	if (!*link && path)
		*link = adopt(path, st.st_ino);
	if (*link)
		return bpf_link__update_program(*link,
						(struct bpf_program *)prog);
	*link = bpf_program__attach_cgroup(prog, cgroup);
	if (!*link)
		return -errno;
	r = path ? bpf_link__pin(*link, path) : 0;
	if (r < 0) {
		bpf_link__destroy(*link);
		*link = NULL;
	}
	return r;
}
