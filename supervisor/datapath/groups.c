/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets and group lists, written to the kernel by plain stores. */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>

#include "supervisor/datapath/datapath.h"
#include "supervisor/datapath/internal.h"

/* Listener addresses of both families for a wildcard, else of its own. */
static void set_listener(struct dae_target *t, const struct addr *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr_is_unspecified(a)) {
		t->families = 3;
		t->addr4 = htonl(INADDR_LOOPBACK);
		memcpy(t->addr6, loopback6, sizeof(loopback6));
	} else if (a->family == 4) {
		t->families = 1;
		memcpy(&t->addr4, a->b + 12, 4);
	} else {
		t->families = 2;
		memcpy(t->addr6, a->b, 16);
	}
}

static uint32_t first_alive(uint64_t alive)
{
	return (uint32_t)__builtin_ctzll(alive);
}

/* The first candidate of @l that is alive, as flows take it; 0: ask the list. */
static uint64_t choice_of(struct datapath *d, uint16_t group,
			  const struct dae_list *l, uint64_t alive)
{
	const struct dae_target *all = datapath_maps(d)->mem[MAP_TARGETS], *t;
	uint32_t i;

	if (!alive || l->is_random)
		return 0;
	i = first_alive(alive);
	t = &all[l->targets[i]];
	return dae_choice(group, l->targets[i], i, t->kind, t->mark);
}

static void store_choice(struct datapath *d, uint16_t group,
			 enum dae_class class_id, uint64_t choice)
{
	uint64_t *all = datapath_maps(d)->mem[MAP_CHOICES];

	__atomic_store_n(&all[dae_group_key(group, class_id)], choice,
			 __ATOMIC_SEQ_CST);
}

/* Say what target @id has become to the groups that have chosen it. */
static void renew_choices(struct datapath *d, uint16_t id)
{
	const struct dae_group *g = datapath_maps(d)->mem[MAP_GROUPS];
	const struct dae_list *l;
	uint16_t group;
	int c;

	for (group = 0; group < DAE_GROUPS_MAX; group++)
		for (c = 0; c < DAE_CLASS_COUNT; c++, g++) {
			l = &g->lists[g->bank & 1];
			if (l->alive && l->targets[first_alive(l->alive)] == id)
				store_choice(d, group, (enum dae_class)c,
					     choice_of(d, group, l, l->alive));
		}
}

int datapath_set_target(struct datapath *d, uint16_t id,
			const struct datapath_target *t)
{
	struct dae_target *all = datapath_maps(d)->mem[MAP_TARGETS];
	struct dae_target next = { .kind = (uint8_t)t->kind };

	if (id >= DAE_TARGETS_MAX)
		return -EINVAL;
	switch (t->kind) {
	case DAE_KIND_DIRECT:
		next.mark = t->mark;
		break;
	case DAE_KIND_BLOCK:
		break;
	case DAE_KIND_TPROXY:
		if ((t->listener.family != 4 && t->listener.family != 6) ||
		    !t->port)
			return -EINVAL;
		set_listener(&next, &t->listener);
		next.port = htons(t->port);
		next.learns = (uint8_t)t->learns;
		break;
	default:
		return -EINVAL;
	}
	if (memcmp(&all[id], &next, sizeof(next)) == 0)
		return 0;
	/* nobody sees a mixture: blocked until the rest is there */
	__atomic_store_n(&all[id].kind, DAE_KIND_BLOCK, __ATOMIC_SEQ_CST);
	renew_choices(d, id);
	next.kind = DAE_KIND_BLOCK;
	all[id] = next;
	__atomic_store_n(&all[id].kind, (uint8_t)t->kind, __ATOMIC_RELEASE);
	renew_choices(d, id);
	return 0;
}

static struct dae_group *find_group(struct datapath *d, uint16_t group,
				    enum dae_class class_id)
{
	struct dae_group *all = datapath_maps(d)->mem[MAP_GROUPS];

	if (group >= DAE_GROUPS_MAX || class_id >= DAE_CLASS_COUNT)
		return NULL;
	return &all[dae_group_key(group, class_id)];
}

static uint64_t mask_of(uint16_t count)
{
	return count >= 64 ? ~0ULL : (1ULL << count) - 1;
}

int datapath_publish_group(struct datapath *d, uint16_t group,
			   enum dae_class class_id,
			   const struct datapath_list *list)
{
	struct dae_group *g = find_group(d, group, class_id);
	struct dae_list *l;
	uint64_t idle;
	uint16_t i;

	if (!g || list->count > DAE_CANDIDATES_MAX ||
	    (list->count && list->last >= list->count))
		return -EINVAL;
	for (i = 0; i < list->count; i++)
		if (list->targets[i] >= DAE_TARGETS_MAX)
			return -EINVAL;
	idle = g->bank + 1;
	l = &g->lists[idle & 1];
	/* who still reads it sees the last publication before these stores */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memset(l, 0, sizeof(*l));
	memcpy(l->targets, list->targets, list->count * sizeof(l->targets[0]));
	l->count = list->count;
	l->last = list->last;
	l->on_all_dead = (uint8_t)list->on_all_dead;
	l->is_random = list->is_random;
	l->alive = list->alive & mask_of(list->count);
	store_choice(d, group, class_id, choice_of(d, group, l, l->alive));
	__atomic_store_n(&g->bank, idle, __ATOMIC_RELEASE);
	return 0;
}

int datapath_set_alive(struct datapath *d, uint16_t group,
		       enum dae_class class_id, uint64_t alive)
{
	struct dae_group *g = find_group(d, group, class_id);
	struct dae_list *l;

	if (!g)
		return -EINVAL;
	l = &g->lists[g->bank & 1];
	alive &= mask_of(l->count);
	store_choice(d, group, class_id, choice_of(d, group, l, alive));
	__atomic_store_n(&l->alive, alive, __ATOMIC_RELEASE);
	return 0;
}
