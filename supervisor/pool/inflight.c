/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/inflight.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base.h"
#include "supervisor/core/crew.h"

#define BUCKETS 1024U

struct inflight_table {
	struct inflight_list bucket[BUCKETS];
	struct inflight_list place[CREW_MAX];
};

int inflight_new(struct inflight_table **ret)
{
	struct inflight_table *t = calloc(1, sizeof(*t)); /* empty lists */

	if (!t)
		return -ENOMEM;
	*ret = t;
	return 0;
}

void inflight_free(struct inflight_table **tp)
{
	struct inflight_table *t = TAKE_PTR(*tp);

	for (uint32_t i = 0; t && i < CREW_MAX; i++)
		inflight_drop_place(t, i);
	free(t);
}

int inflight_add(struct inflight_table *t, const struct inflight *spec)
{
	struct inflight *j;

	if (inflight_find(t, spec->id))
		return -EEXIST;
	j = malloc(sizeof(*j));
	if (!j)
		return -ENOMEM;
	*j = *spec;
	j->socket.iface = j->iface[0] ? j->iface : NULL;
	LIST_INSERT_HEAD(&t->bucket[j->id % BUCKETS], j, by_id);
	LIST_INSERT_HEAD(&t->place[j->place], j, by_place);
	return 0;
}

struct inflight *inflight_find(const struct inflight_table *t, uint32_t id)
{
	struct inflight *j;

	LIST_FOREACH(j, &t->bucket[id % BUCKETS], by_id)
		if (j->id == id)
			return j;
	return NULL;
}

struct inflight *inflight_match(const struct inflight_table *t, uint32_t id,
				uint32_t place, uint32_t generation)
{
	struct inflight *j = inflight_find(t, id);

	if (!j || j->place != place || j->generation != generation)
		return NULL;
	return j;
}

void inflight_remove(struct inflight_table *t DAE_UNUSED, struct inflight *j)
{
	LIST_REMOVE(j, by_id);
	LIST_REMOVE(j, by_place);
	free(j);
}

uint32_t inflight_drop_place(struct inflight_table *t, uint32_t place)
{
	struct inflight *j;
	uint32_t n = 0;

	while ((j = LIST_FIRST(&t->place[place]))) {
		inflight_remove(t, j);
		n++;
	}
	return n;
}

uint64_t inflight_due_ns(const struct inflight_table *t, uint32_t place)
{
	const struct inflight *j;
	uint64_t due_ns = 0;

	LIST_FOREACH(j, &t->place[place], by_place)
		if (due_ns == 0 || j->deadline_ns < due_ns)
			due_ns = j->deadline_ns;
	return due_ns;
}
