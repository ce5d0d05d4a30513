/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/oracle.h"

#include <netinet/in.h>
#include <string.h>

#define MARK_OF_GROUP(g) (0x1000U + (g))
#define FIN_SYN_ACK_MASK 0x12
#define EXTENSIONS_MAX 8

/* The part of a frame that is not yet read; @limit: what its IP header says. */
struct rest {
	const uint8_t *p;
	size_t left;
	size_t limit;
};

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] * 256 + p[1];
}

static bool skip_over(struct rest *r, size_t n)
{
	if (n > r->left || n > r->limit)
		return false;
	r->p += n;
	r->left -= n;
	r->limit -= n;
	return true;
}

static bool is_transport(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static bool read_transport(struct rest *r, struct oracle_facts *f)
{
	const uint8_t *p = r->p;

	if (!skip_over(r, f->q.l4proto == IPPROTO_TCP ? 20 : 8))
		return false;
	f->q.sport = (uint16_t)get16(p);
	f->q.dport = (uint16_t)get16(p + 2);
	if (f->q.l4proto == IPPROTO_TCP)
		f->tcp_flags = p[13];
	return true;
}

static void set_v4(struct addr *a, const uint8_t *from)
{
	*a = (struct addr){ .family = 4 };
	a->b[10] = a->b[11] = 0xff;
	memcpy(a->b + 12, from, 4);
}

static enum oracle_shape read_v4(struct rest r, struct oracle_facts *f)
{
	const uint8_t *ip = r.p;
	unsigned int header, total, offset, is_more;

	if (r.left < 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return ORACLE_CUT;
	set_v4(&f->q.src, ip + 12);
	set_v4(&f->q.dst, ip + 16);
	f->q.dscp = ip[1] / 4;
	f->q.l4proto = ip[9];
	if (!is_transport(ip[9]))
		return ORACLE_OTHER;
	offset = get16(ip + 6) % 0x2000;
	is_more = get16(ip + 6) / 0x2000 % 2;
	if (offset)
		return ORACLE_LATER;
	header = (ip[0] & 15) * 4U;
	total = get16(ip + 2);
	r.limit = total ? total : r.left; /* 0: a jumbo segment */
	if (!skip_over(&r, header) || !read_transport(&r, f))
		return ORACLE_CUT;
	return is_more ? ORACLE_FIRST : ORACLE_FLOW;
}

/* Bytes of the extension header at @p, 0: it is none. */
static size_t extension_size(unsigned int type, const uint8_t *p)
{
	if (type == 44) /* fragment */
		return 8;
	if (type == 51) /* authentication: in words, less two */
		return (p[1] + 2U) * 4;
	/* hop-by-hop, routing, destination options, mobility */
	if (type == 0 || type == 43 || type == 60 || type == 135)
		return (p[1] + 1U) * 8;
	return 0;
}

static enum oracle_shape read_v6(struct rest r, struct oracle_facts *f)
{
	static const uint8_t any[2];
	const uint8_t *ip = r.p;
	bool is_first = false;
	unsigned int type, i;
	size_t size;

	if (r.left < 40 || ip[0] >> 4 != 6)
		return ORACLE_CUT;
	f->q.src.family = f->q.dst.family = 6;
	memcpy(f->q.src.b, ip + 8, 16);
	memcpy(f->q.dst.b, ip + 24, 16);
	f->q.dscp = (uint8_t)(get16(ip) >> 6 & 63);
	r.limit = get16(ip + 4) ? get16(ip + 4) + 40 : r.left;
	type = ip[6];
	skip_over(&r, 40);
	for (i = 0; !is_transport(type); i++) {
		if (!extension_size(type, any))
			return is_first ? ORACLE_FIRST_OTHER : ORACLE_OTHER;
		if (r.left < 8 || r.limit < 8)
			return ORACLE_CUT;
		f->fragment_headers += type == 44;
		if (type == 44 && get16(r.p + 2) / 8)
			return ORACLE_LATER;
		if (type == 44 && r.p[3] & 1)
			is_first = true;
		size = extension_size(type, r.p);
		type = r.p[0];
		if (size > r.limit)
			return ORACLE_CUT;
		if (!skip_over(&r, size)) { /* its end did not arrive */
			r.limit -= size;
			r.left = 0;
		}
		if (i == EXTENSIONS_MAX)
			return ORACLE_TOO_MANY;
	}
	f->q.l4proto = (uint8_t)type;
	if (!read_transport(&r, f))
		return ORACLE_CUT;
	return is_first ? ORACLE_FIRST : ORACLE_FLOW;
}

void oracle_read(const struct oracle_world *w, const uint8_t *b, size_t len,
		 bool has_mac, struct oracle_facts *ret)
{
	unsigned int type = get16(b + 12), tags;
	struct rest r = { b, len, len };

	memset(ret, 0, sizeof(*ret));
	ret->shape = ORACLE_OTHER;
	if (!has_mac && w->link_type)
		type = w->link_type;
	if (has_mac) {
		ret->is_for_others = memcmp(b, w->mac, 6) != 0;
		memcpy(ret->q.mac, b + 6, 6);
		skip_over(&r, 14);
		for (tags = 0; tags < 2; tags++) {
			if (type != 0x8100 && type != 0x88a8)
				break;
			if (r.left < 4)
				return;
			type = get16(r.p + 2);
			skip_over(&r, 4);
		}
	}
	if (type == 0x0800)
		ret->shape = read_v4(r, ret);
	else if (type == 0x86dd)
		ret->shape = read_v6(r, ret);
}

/* --- what becomes of it --- */

static bool is_local(const struct oracle_world *w, const struct oracle_facts *f)
{
	const uint8_t *d = f->q.dst.b;

	if (f->is_for_others || addr_equal(&f->q.dst, &w->own))
		return true;
	if (f->q.dst.family == 6)
		return d[0] == 0xff || (d[0] == 0xfe && d[1] >> 6 == 2);
	return d[12] >= 224 || d[12] == 127 || (d[12] == 169 && d[13] == 254);
}

static void pass(struct oracle_outcome *o, uint32_t mark)
{
	o->r = (struct rig_result){ RIG_PASS, mark };
}

static void drop(struct oracle_outcome *o)
{
	o->r = (struct rig_result){ RIG_DROP, 0 };
}

void oracle_groups(struct rig *r)
{
	static const uint16_t none[1] = { 0 };
	uint16_t g;

	for (g = 0; g < RULEGEN_GROUPS; g++) {
		rig_target_mark(r, g, MARK_OF_GROUP(g));
		if (g % 4 == 3)
			rig_target_tproxy(r, g, "127.0.0.1", 9);
		if (g % 4 == 1 || g % 4 == 2)
			rig_group(r, g, none, 0,
				  g % 4 == 1 ? DAE_DEAD_BLOCK
					     : DAE_DEAD_DIRECT);
		else
			rig_group(r, g, &g, 1,
				  g == RULEGEN_GROUPS - 1 ? DAE_DEAD_DIRECT
							  : DAE_DEAD_BLOCK);
	}
}

/* A packet that opens no flow has no right to a listener. */
static void ask_group(const struct oracle_facts *f, unsigned int g, bool is_new,
		      struct oracle_outcome *o)
{
	if (g % 4 == 0) {
		pass(o, MARK_OF_GROUP(g));
		return;
	}
	if (g % 4 == 3 && is_new && f->shape == ORACLE_FIRST) {
		o->counts[DAE_COUNT_FRAG_PROXIED]++;
		drop(o);
		return;
	}
	if (g % 4 != 3 || is_new)
		o->counts[DAE_COUNT_GROUP_DEAD]++;
	if (g % 4 == 2 || !is_new || g == RULEGEN_GROUPS - 1) {
		pass(o, 0);
		return;
	}
	if (g % 4 == 3)
		o->counts[DAE_COUNT_NO_LISTENER]++;
	drop(o);
}

static void by_rules(const struct oracle_world *w, const struct oracle_facts *f,
		     bool is_new, struct oracle_outcome *o)
{
	struct ruleset_verdict v;

	ruleset_eval(w->rules, &f->q, &v);
	if (is_new)
		o->rule = v.rule;
	pass(o, 0);
	if (v.is_dns) {
		o->counts[DAE_COUNT_DNS_KEPT] += is_new;
	} else if (v.action == DAE_ACTION_GROUP) {
		if (is_new)
			o->group = v.group;
		ask_group(f, v.group, is_new, o);
	} else if (v.action == DAE_ACTION_DIRECT) {
		o->direct += is_new;
		pass(o, v.mark);
	} else if (is_new) {
		o->block++;
		drop(o);
	}
}

void oracle_decide(const struct oracle_world *w, const struct oracle_facts *f,
		   struct oracle_outcome *ret)
{
	unsigned int opening = f->tcp_flags & FIN_SYN_ACK_MASK;

	*ret = (struct oracle_outcome){ .group = -1, .rule = -1 };
	drop(ret);
	switch (f->shape) {
	case ORACLE_CUT:
		ret->counts[DAE_COUNT_TRUNCATED]++;
		return;
	case ORACLE_TOO_MANY:
		ret->counts[DAE_COUNT_EXT_HEADERS]++;
		return;
	case ORACLE_LATER:
		ret->counts[DAE_COUNT_FRAG_UNKNOWN]++;
		return;
	case ORACLE_OTHER:
		ret->counts[DAE_COUNT_PASS_OTHER]++;
		pass(ret, 0);
		return;
	case ORACLE_FIRST_OTHER:
		pass(ret, 0);
		return;
	default:
		break;
	}
	if (is_local(w, f)) {
		ret->counts[DAE_COUNT_PASS_LOCAL]++;
		pass(ret, 0);
	} else if (f->q.l4proto == IPPROTO_UDP || opening == 0x02) {
		by_rules(w, f, true, ret);
	} else if (opening == 0x12) {
		pass(ret, 0); /* the answer to a flow from outside */
	} else {
		by_rules(w, f, false, ret);
	}
}
