/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and their addresses: taught by the administrator, listed, forgotten. */
#include "supervisor/ctl/ctl_learned.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "common/nameset.h"
#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_json.h"

static int read_addr(struct ctl_call *c, const json_t *j, struct addr *ret)
{
	const char *text = json_string_value(j);

	if (!text || addr_parse(text, ret) < 0)
		return ctl_fail(c, -EINVAL, NULL, "'%s' is no address",
				text ? text : "");
	if (addr_is_special(ret))
		return ctl_fail(c, -EINVAL, NULL, "no name may lead to '%s'",
				text);
	return 0;
}

int ctl_cmd_route_learn(struct ctl_call *c)
{
	struct ctl_learn_request q = { .ttl_s = CTL_LEARN_TTL_S };
	struct ctl_learn_answer a = { 0 };
	struct ctl_outcome first = { .ticket = c->ticket };
	struct ctl_outcome *o = c->later ? c->later : &first;
	char folded[NAMESET_NAME_MAX + 1];
	json_int_t ttl_s = CTL_LEARN_TTL_S;
	json_t *addrs, *one;
	size_t i;
	int r;

	r = ctl_args(c, "{s:s, s:o, s?I}", "name", &q.name, "addresses", &addrs,
		     "ttl_s", &ttl_s);
	if (r < 0)
		return r;
	if (nameset_fold(q.name, strlen(q.name), folded) < 0)
		return ctl_fail(c, -EINVAL, NULL, "'%s' is no domain name",
				q.name);
	if (ttl_s < 1 || ttl_s > (json_int_t)LEARNED_TTL_MAX_S)
		return ctl_fail(c, -EINVAL, "from 1s to 7d",
				"the time is out of range");
	q.name = folded;
	q.ttl_s = (uint32_t)ttl_s;
	q.count = json_array_size(addrs);
	if (q.count < 1 || q.count > CTL_LEARN_ADDRS_MAX)
		return ctl_fail(c, -EINVAL, NULL, "1 to %d addresses",
				CTL_LEARN_ADDRS_MAX);
	json_array_foreach(addrs, i, one) {
		r = read_addr(c, one, &q.addrs[i]);
		if (r < 0)
			return r;
	}
	q.sets = o->sets;
	if (o->r == 0)
		o->r = c->ops->learn(c->ctx, &q, &a, o);
	if (o->r == -EINPROGRESS) {
		c->is_pending = true;
		return 0;
	}
	if (o->r < 0)
		return ctl_fail_outcome(c, o, "learn");
	return ctl_done(c, "dae.learn/1",
			json_pack("{s:s, s:I, s:I}", "name", folded,
				  "addresses", (json_int_t)q.count, "sets",
				  (json_int_t)a.set_count));
}

int ctl_cmd_route_forget(struct ctl_call *c)
{
	struct ctl_outcome o = { 0 };
	const char *what;
	int r;

	r = ctl_args(c, "{s:s}", "what", &what);
	if (r < 0)
		return r;
	o.r = c->ops->forget(c->ctx, what, &o);
	if (o.r == -EINVAL)
		return ctl_fail(c, -EINVAL, NULL,
				"'%s' is neither a name nor an address", what);
	if (o.r == 0)
		return ctl_fail(c, -ENOENT, NULL, "'%s' was not learned", what);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "forget");
	return ctl_done(c, "dae.forget/1", json_pack("{s:i}", "pairs", o.r));
}

static json_t *pair_json(const struct ctl_view *v, const struct learned_view *p)
{
	uint64_t left_ns = p->expiry_ns > v->mono_ns ? p->expiry_ns - v->mono_ns
						     : 0;
	char addr[ADDR_STRLEN];

	return json_pack("{s:o, s:s, s:I, s:I}", "name", ctl_json_text(p->name),
			 "address", addr_format(&p->addr, addr), "sets",
			 (json_int_t)p->set_count, "expires_in_us",
			 (json_int_t)(left_ns / NS_PER_US));
}

int ctl_cmd_route_learned(struct ctl_call *c)
{
	const struct learned *l = c->view->names.learned;
	uint32_t cursor = (uint32_t)c->cursor;
	auto_json json_t *list = json_array();
	struct learned_view p;
	int r;

	r = ctl_args(c, "{}");
	if (r < 0)
		return r;
	c->more = false;
	while (l && learned_next(l, &cursor, &p)) {
		if (ctl_json_append(list, pair_json(c->view, &p)) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
		if (json_array_size(list) == CTL_PAGE) {
			c->more = true;
			break;
		}
	}
	c->cursor = cursor;
	return ctl_done(c, "dae.learned/1", json_incref(list));
}

json_t *ctl_names_json(const struct ctl_names *n)
{
	struct learned_counts k = { 0 };

	if (n->learned)
		k = learned_count(n->learned);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "rules", (json_int_t)n->rules, "names",
			 (json_int_t)k.names, "addresses", (json_int_t)k.addrs,
			 "learned", (json_int_t)k.learned, "expired",
			 (json_int_t)k.expired, "evicted",
			 (json_int_t)k.evicted, "kernel_entries",
			 (json_int_t)n->kernel_entries, "kernel_room",
			 (json_int_t)n->kernel_room, "not_entered",
			 (json_int_t)n->not_entered);
}
