/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that ask the supervisor something: probe, route. */
#include "supervisor/ctl/ctl_dispatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_target.h"

#define PROBE_ROUNDS_MAX 20

static bool class_wanted(const char *list, const struct target_check *k)
{
	const char *name = check_class_name(k->cls), *p = list;
	size_t len;

	while (p && *p) {
		len = strcspn(p, ",");
		/* "tcp" is tcp4 and tcp6 */
		if (strncmp(name, p, len) == 0 &&
		    (name[len] == '\0' || name[len] == '4' || name[len] == '6'))
			return true;
		p += len + (p[len] == ',');
	}
	return !list || !*list;
}

static unsigned int pick_checks(const struct target *t, const char *classes,
				json_int_t family)
{
	unsigned int bits = 0;

	for (unsigned int k = 0; k < TARGET_CHECKS; k++) {
		if (!t->checks[k].is_used ||
		    (family && t->checks[k].family != family) ||
		    !class_wanted(classes, &t->checks[k]))
			continue;
		bits |= 1U << k;
	}
	return bits;
}

int ctl_cmd_probe(struct ctl_call *c)
{
	struct ctl_probe_request q = { 0 };
	const char *name, *classes = NULL;
	struct ctl_outcome o = { 0 };
	json_int_t family = 0, count = 1;
	const struct target *t;
	int commit = 0, r;

	r = ctl_args(c, "{s:s, s?s, s?I, s?I, s?b}", "name", &name, "classes",
		     &classes, "family", &family, "count", &count, "commit",
		     &commit);
	if (r < 0)
		return r;
	if (count < 1 || count > PROBE_ROUNDS_MAX)
		return ctl_fail(c, -EINVAL, NULL, "count must be 1..%d",
				PROBE_ROUNDS_MAX);
	t = ctl_target_find(c, name, false);
	if (!t)
		t = ctl_target_find(c, name, true);
	if (!t)
		return -ENOENT;
	q.target = t->index;
	q.checks = pick_checks(t, classes, family);
	q.count = (uint32_t)count;
	q.commit = commit;
	if (q.checks == 0)
		return ctl_fail(c, -ENOENT,
				"'daectl nodes show' lists its checks",
				"'%s' has no such check", t->name);
	o.r = c->ops->probe(c->ctx, c->ticket, &q, &o);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "probe");
	c->is_pending = true;
	return 0;
}

static const char *action_name(const struct ctl_view *v,
			       const struct ruleset_verdict *d)
{
	switch (d->action) {
	case DAE_ACTION_DIRECT:
		return "direct";
	case DAE_ACTION_BLOCK:
		return "block";
	default:
		return d->group < v->config->group_count
			       ? v->config->groups[d->group].name
			       : "?";
	}
}

static json_t *verdict_json(const struct ctl_view *v,
			    const struct ruleset_verdict *d)
{
	return json_pack("{s:o, s:b, s:b, s:o}", "outbound",
			 ctl_json_text(action_name(v, d)), "must", d->must,
			 "dns", d->is_dns, "mark",
			 ctl_json_int(d->has_mark, d->mark));
}

/* The rule as its author wrote it, and where. */
static json_t *rule_json(const struct ctl_view *v,
			 const struct ruleset_verdict *d)
{
	const struct config *c = v->config;
	const struct config_rule *r;

	if (d->rule >= c->routing.rule_count)
		return json_pack("{s:n, s:s, s:n, s:n}", "index", "text",
				 "fallback", "file", "line");
	r = &c->routing.rules[d->rule];
	return json_pack("{s:i, s:o, s:o, s:I}", "index", (int)d->rule, "text",
			 ctl_json_text(r->text), "file",
			 ctl_json_text(r->pos.file < c->file_count
					       ? c->files[r->pos.file].path
					       : NULL),
			 "line", (json_int_t)r->pos.line);
}

static bool same_verdict(const struct ruleset_verdict *a,
			 const struct ruleset_verdict *b)
{
	return a->action == b->action && a->must == b->must &&
	       a->has_mark == b->has_mark && a->mark == b->mark &&
	       (a->action != DAE_ACTION_GROUP || a->group == b->group);
}

static int read_packet(struct ctl_call *c, struct ctl_route_query *q)
{
	const char *src, *dst, *proto = "tcp", *mac = NULL;
	json_int_t sport = 0, dport = 0, dscp = 0;
	uint8_t *m = q->packet.mac;
	int r;

	r = ctl_args(c, "{s:s, s:s, s?I, s?I, s?s, s?I, s?s, s?s, s?s}", "src",
		     &src, "dst", &dst, "sport", &sport, "dport", &dport,
		     "proto", &proto, "dscp", &dscp, "mac", &mac, "domain",
		     &q->domain, "process", &q->process);
	if (r < 0)
		return r;
	if (addr_parse(src, &q->packet.src) < 0 ||
	    addr_parse(dst, &q->packet.dst) < 0 ||
	    q->packet.src.family != q->packet.dst.family)
		return ctl_fail(c, -EINVAL, "name both, as in 192.0.2.1",
				"source and destination must be addresses of "
				"one family");
	if (sport < 0 || sport > 65535 || dport < 0 || dport > 65535 ||
	    dscp < 0 || dscp > 63)
		return ctl_fail(c, -EINVAL, NULL, "port or dscp out of range");
	if (strcmp(proto, "tcp") && strcmp(proto, "udp"))
		return ctl_fail(c, -EINVAL, NULL, "protocol is tcp or udp");
	if (mac && sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", m, m + 1,
			  m + 2, m + 3, m + 4, m + 5) != 6)
		return ctl_fail(c, -EINVAL, NULL, "no such MAC: '%s'", mac);
	q->packet.sport = (uint16_t)sport;
	q->packet.dport = (uint16_t)dport;
	q->packet.dscp = (uint8_t)dscp;
	q->packet.l4proto = proto[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	return 0;
}

int ctl_cmd_route_test(struct ctl_call *c)
{
	struct ctl_route_query q = { 0 };
	struct ctl_route_answer a = { .target = TARGET_NONE };
	struct ctl_outcome first = { .ticket = c->ticket };
	struct ctl_outcome *o = c->later ? c->later : &first;
	int r;

	r = read_packet(c, &q);
	if (r < 0)
		return r;
	q.packet.domain_sets = o->sets;
	if (o->r == 0)
		o->r = c->ops->route_test(c->ctx, &q, &a, o);
	if (o->r == -EINPROGRESS) {
		c->is_pending = true;
		return 0;
	}
	if (o->r < 0)
		return ctl_fail_outcome(c, o, "route test");
	return ctl_done(
		c, "dae.route-test/1",
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "rule",
			  rule_json(c->view, &a.verdict), "user",
			  verdict_json(c->view, &a.verdict), "kernel",
			  a.has_kernel ? verdict_json(c->view, &a.kernel)
				       : json_null(),
			  "match",
			  a.has_kernel ? json_boolean(same_verdict(&a.verdict,
								   &a.kernel))
				       : json_null(),
			  "node", ctl_target_name(c->view, a.target), "message",
			  ctl_json_text(o->message[0] ? o->message : NULL)));
}
