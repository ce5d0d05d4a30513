/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/core/group.h"
#include "supervisor/kernel_route.h"

struct kernel_plan *kernel_plan_alloc(size_t groups, size_t nodes)
{
	struct kernel_plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->names_fd = -1;
	p->group_ids = calloc(groups + 1, sizeof(*p->group_ids));
	p->target_ids = calloc(nodes + 1, sizeof(*p->target_ids));
	p->seen = calloc(groups * GROUP_SELS + 1, sizeof(*p->seen));
	if (!p->group_ids || !p->target_ids || !p->seen) {
		kernel_plan_free(&p);
		return NULL;
	}
	kernel_route_forget(p->seen, groups);
	return p;
}

void kernel_plan_free(struct kernel_plan **pp)
{
	struct kernel_plan *p = TAKE_PTR(*pp);

	if (!p)
		return;
	free(p->group_ids);
	free(p->target_ids);
	free(p->seen);
	if (p->image)
		munmap(p->image, p->image_len);
	fd_close_ptr(&p->names_fd);
	free(p);
}

int kernel_plan_take(struct kernel_plan *p, struct launch_result *res)
{
	void *image;
	int r;

	image = mmap(NULL, res->rules_len, PROT_READ, MAP_SHARED, res->rules_fd,
		     0);
	if (image == MAP_FAILED)
		return -errno;
	r = ruleset_open(image, res->rules_len, &p->rules);
	if (r < 0) {
		munmap(image, res->rules_len);
		return r;
	}
	p->image = image;
	p->image_len = res->rules_len;
	p->names_fd = TAKE_FD(res->names_fd);
	return 0;
}

void kernel_plan_rest(struct kernel_plan *p)
{
	/* it is sealed: what comes back later is the same */
	madvise(p->image, p->image_len, MADV_DONTNEED);
}
