/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_route.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "common/base.h"
#include "common/log.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/datapath/policy.h"
#include "supervisor/kernel_host.h"

#define UPLINKS_MAX 257 /* one more than policy_apply() takes */
/* Marks given to uplinks that name none: this and their number. */
#define UPLINK_MARK_BASE 0x00da0000U

/* The bits of @number, from the lowest on, where @without leaves room. */
static uint32_t spread(uint32_t number, uint32_t without)
{
	uint32_t ret = 0;

	for (uint32_t bit = 1; number && bit; bit <<= 1) {
		if (bit & without)
			continue;
		ret |= number & 1 ? bit : 0;
		number >>= 1;
	}
	return ret;
}

uint32_t kernel_route_mark(const struct config_supervisor *s,
			   const struct config_node *n, uint16_t target_id)
{
	uint32_t taken = s->so_mark | s->mark_mask;

	if (n->mark)
		return n->mark;
	return (UPLINK_MARK_BASE & ~taken) |
	       spread(target_id + 1U, UPLINK_MARK_BASE | taken);
}

/* Probes through an uplink carry so_mark, too: it is not compared. */
static uint32_t mask_of(const struct config_supervisor *s, uint32_t mark)
{
	return mark & ~s->so_mark ? ~s->so_mark : ~0U;
}

static size_t uplinks_of(const struct kernel_route *r,
			 struct policy_uplink up[UPLINKS_MAX])
{
	const struct config_supervisor *s = &r->config->supervisor;
	size_t count = 0;

	for (size_t i = 0; i < r->config->node_count; i++) {
		const struct config_node *n = &r->config->nodes[i];
		uint32_t mark, id = r->target_ids[i];

		if (n->scheme != SCHEME_IFACE || count == UPLINKS_MAX)
			continue;
		mark = kernel_route_mark(s, n, (uint16_t)id);
		up[count++] = (struct policy_uplink){
			.mark = mark,
			.mask = mask_of(s, mark),
			.priority = s->rule_priority + 1 + id,
			.table = s->route_table + 1 + id,
			.ifindex = if_nametoindex(n->iface),
			.gateway = n->gateway,
		};
		policy_set_sysctls(n->iface, POLICY_UPLINK, r->saved_sysctls);
	}
	return count;
}

void kernel_route_sysctls(const struct kernel_route *r,
			  const struct kernel_links *lan)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < lan->count; i++)
		if (policy_is_way_out(lan->ifindex[i]) &&
		    if_indextoname(lan->ifindex[i], name))
			policy_set_sysctls(name, POLICY_ONE_ARM,
					   r->saved_sysctls);
}

int kernel_route_policies(const struct kernel_route *r,
			  struct datapath_error *ret_err)
{
	const struct config_supervisor *s = &r->config->supervisor;
	struct policy_local local = { .mark = s->mark,
				      .mark_mask = s->mark_mask,
				      .priority = s->rule_priority,
				      .table = s->route_table,
				      .for_host = kernel_host_is_wanted(
					      r->config) };
	auto_free struct policy_uplink *up = NULL;
	size_t count;
	int e;

	up = calloc(UPLINKS_MAX, sizeof(*up));
	if (!up)
		return -ENOMEM;
	count = uplinks_of(r, up);
	e = policy_check(&local, up, count, ret_err);
	return e < 0 ? e : policy_apply(&local, up, count, ret_err);
}

static int target_of(const struct config_supervisor *s,
		     const struct config_node *n, uint16_t id,
		     struct datapath_target *ret)
{
	*ret = (struct datapath_target){ .kind = DAE_KIND_DIRECT };
	if (n->scheme == SCHEME_IFACE)
		ret->mark = kernel_route_mark(s, n, id);
	if (n->scheme != SCHEME_TPROXY)
		return 0;
	ret->kind = DAE_KIND_TPROXY;
	ret->port = n->port;
	return addr_parse(n->host, &ret->listener);
}

int kernel_route_targets(const struct kernel_route *r, struct datapath *dp)
{
	for (size_t i = 0; i < r->config->node_count; i++) {
		const struct config_node *n = &r->config->nodes[i];
		struct datapath_target t;
		int e;

		if (!node_scheme_can_carry(n->scheme))
			continue;
		e = target_of(&r->config->supervisor, n, r->target_ids[i], &t);
		if (e == 0)
			e = datapath_set_target(dp, r->target_ids[i], &t);
		if (e < 0)
			return e;
	}
	return 0;
}

static enum dae_dead dead_of(enum on_all_dead d)
{
	static const enum dae_dead map[] = {
		[ALL_DEAD_UNSET] = DAE_DEAD_BLOCK,
		[ALL_DEAD_BLOCK] = DAE_DEAD_BLOCK,
		[ALL_DEAD_DIRECT] = DAE_DEAD_DIRECT,
		[ALL_DEAD_LAST] = DAE_DEAD_LAST,
	};

	return map[d];
}

/* Where the candidate is that the kernel used by @seen; -1: none, or gone. */
static int find_used(const struct datapath_list *list,
		     const struct datapath_list *seen)
{
	uint16_t used;

	if (!seen->count || seen->count > DAE_CANDIDATES_MAX)
		return -1; /* forgotten */
	used = seen->targets[seen->alive ? __builtin_ctzll(seen->alive)
					 : seen->last];
	for (uint16_t i = 0; i < list->count; i++) {
		if (list->targets[i] == used)
			return i;
	}
	return -1;
}

/* @last: of the group's selection, -1 if that one carries no traffic. */
static void set_last(struct datapath_list *list, int last,
		     const struct datapath_list *seen)
{
	if (list->on_all_dead != DAE_DEAD_LAST)
		return;
	if (last < 0)
		last = find_used(list, seen);
	if (last < 0)
		list->on_all_dead = DAE_DEAD_BLOCK;
	else
		list->last = (uint16_t)last;
}

void kernel_route_list(const struct kernel_route *r, const struct prober *p,
		       const struct group_candidates *c,
		       const struct datapath_list *seen,
		       struct datapath_list *ret)
{
	int last = -1;

	memset(ret, 0, sizeof(*ret)); /* compared as bytes */
	ret->on_all_dead = dead_of(c->dead);
	ret->is_random = c->is_random;
	for (uint32_t i = 0; i < c->count; i++) {
		const struct target *t = target_table_get(p->targets,
							  c->targets[i]);
		const struct config_node *n;

		if (!t || t->kind != TARGET_NODE)
			continue;
		n = &r->config->nodes[t->config_index];
		if (!node_scheme_can_carry(n->scheme))
			continue;
		if (c->alive >> i & 1)
			ret->alive |= 1ULL << ret->count;
		if (i == c->last)
			last = ret->count;
		ret->targets[ret->count++] = r->target_ids[t->config_index];
	}
	set_last(ret, last, seen);
}

/* Alike but for what is alive. */
static bool is_same_order(const struct datapath_list *a,
			  const struct datapath_list *b)
{
	return a->count == b->count && a->last == b->last &&
	       a->on_all_dead == b->on_all_dead &&
	       a->is_random == b->is_random &&
	       memcmp(a->targets, b->targets,
		      a->count * sizeof(a->targets[0])) == 0;
}

static int publish(const struct kernel_route *r, struct datapath *dp,
		   size_t group, unsigned int sel,
		   const struct datapath_list *next,
		   const struct datapath_list *seen)
{
	static const enum dae_class classes[GROUP_SELS] = {
		[CHECK_TCP4] = DAE_CLASS_TCP4,
		[CHECK_TCP6] = DAE_CLASS_TCP6,
		[CHECK_UDP4] = DAE_CLASS_UDP4,
		[CHECK_UDP6] = DAE_CLASS_UDP6,
	};
	uint16_t id = r->group_ids[group];

	if (is_same_order(seen, next))
		return datapath_set_alive(dp, id, classes[sel], next->alive);
	return datapath_publish_group(dp, id, classes[sel], next);
}

size_t kernel_route_groups(const struct kernel_route *r, struct datapath *dp,
			   const struct prober *p, struct datapath_list *seen)
{
	struct group_candidates c;
	struct datapath_list next;
	size_t published = 0;

	for (size_t i = 0; i < p->group_count * GROUP_SELS; i++) {
		size_t group = i / GROUP_SELS;
		unsigned int sel = i % GROUP_SELS;
		int e;

		group_candidates(&p->groups[group], sel, p->targets, &c);
		kernel_route_list(r, p, &c, &seen[i], &next);
		if (is_same_order(&seen[i], &next) &&
		    seen[i].alive == next.alive)
			continue;
		e = publish(r, dp, group, sel, &next, &seen[i]);
		if (e < 0) {
			log_err_r(e, "kernel: cannot publish group %s",
				  p->groups[group].name);
			continue;
		}
		seen[i] = next;
		published++;
	}
	return published;
}

void kernel_route_forget(struct datapath_list *seen, size_t groups)
{
	memset(seen, 0xff, groups * GROUP_SELS * sizeof(*seen));
}
