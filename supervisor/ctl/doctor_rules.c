/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "common/base.h"
#include "common/fd.h"

#define ANSWER_MAX 32768
#define ANSWERS_MAX 256	 /* messages of one dump */
#define OUR_PROTOCOL 218 /* as the datapath marks its rules */

struct rule {
	uint32_t mark, mask, priority, table;
	uint8_t protocol;
	bool has_mark;
};

static uint32_t attr_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

static struct rule read_rule(struct nlmsghdr *h)
{
	struct fib_rule_hdr *f = NLMSG_DATA(h);
	struct rule r = { .mask = UINT32_MAX, .table = f->table };
	size_t left = NLMSG_PAYLOAD(h, sizeof(*f));
	struct rtattr *a;

	a = (struct rtattr *)((uint8_t *)f + NLMSG_ALIGN(sizeof(*f)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		switch (a->rta_type) {
		case FRA_FWMARK:
			r.mark = attr_u32(a);
			r.has_mark = true;
			break;
		case FRA_FWMASK:
			r.mask = attr_u32(a);
			break;
		case FRA_PRIORITY:
			r.priority = attr_u32(a);
			break;
		case FRA_PROTOCOL:
			r.protocol = RTA_PAYLOAD(a)
					     ? *(const uint8_t *)RTA_DATA(a)
					     : 0;
			break;
		case FRA_TABLE:
			r.table = attr_u32(a);
			break;
		default:
			break;
		}
	}
	return r;
}

static bool is_ours(const struct rule *r, const struct doctor_facts *f)
{
	return r->protocol == OUR_PROTOCOL ||
	       (r->has_mark && r->priority == f->rule_priority &&
		r->table == f->route_table);
}

/* Who is known to make such rules: their masks. */
static const char *owner_of(const struct rule *r)
{
	if (r->mask == 0xff0000 && r->priority >= 5200 && r->priority < 5300)
		return " (tailscale's)";
	return r->mask == 0x3f00 ? " (mwan3's)" : "";
}

/*
 * Marks of others that do not share a bit with ours: a packet may carry both,
 * and the first rule wins. Tailscale marks what it sends itself, and nothing
 * that goes to an engine.
 */
static void judge_order(json_t *list, const struct rule *r,
			const struct doctor_facts *f, unsigned int *found)
{
	/* the rules of uplinks follow it: room for them */
	uint32_t before = MAX((r->priority - 1) / 2, 1U);
	char hint[96];

	if (r->priority > 1 && r->priority < f->rule_priority &&
	    r->mask != UINT32_MAX && strcmp(owner_of(r), " (tailscale's)")) {
		++*found;
		snprintf(hint, sizeof(hint), "supervisor { rule_priority: %u }",
			 before > 100 ? before / 100 * 100 : before);
		doctor_add(list, DOCTOR_WARN, "rules", hint,
			   "the rule of priority %u, mark 0x%x/0x%x%s, comes "
			   "before ours: flows for an engine that carry that "
			   "mark, too, go its way",
			   r->priority, r->mark, r->mask, owner_of(r));
	}
	if (f->so_mark && (f->so_mark & r->mask) == r->mark) {
		++*found;
		doctor_add(list, DOCTOR_WARN, "rules",
			   "global { so_mark_from_dae: … } with bits that "
			   "nobody else uses",
			   "the rule of priority %u, mark 0x%x/0x%x%s, takes "
			   "our own probes, whose mark is 0x%x",
			   r->priority, r->mark, r->mask, owner_of(r),
			   f->so_mark);
	}
}

static void judge(json_t *list, const struct rule *r,
		  const struct doctor_facts *f, unsigned int *found)
{
	bool standard = r->table == RT_TABLE_MAIN ||
			r->table == RT_TABLE_LOCAL ||
			r->table == RT_TABLE_DEFAULT;

	if (is_ours(r, f)) {
		if (f->is_running)
			return;
		++*found;
		doctor_add(list, DOCTOR_WARN, "rules", "daectl cleanup",
			   "a rule of ours (priority %u) is left over, and no "
			   "daemon answers",
			   r->priority);
		return;
	}
	if (r->has_mark && r->mask & f->mark_mask) {
		++*found;
		doctor_add(list, DOCTOR_FAIL, "rules",
			   "supervisor { mark: …  mark_mask: … } with bits "
			   "that nobody else uses",
			   "the rule of priority %u uses mark 0x%x/0x%x, which "
			   "overlaps our mask 0x%x",
			   r->priority, r->mark, r->mask, f->mark_mask);
	} else if (r->has_mark && r->table != RT_TABLE_LOCAL) {
		judge_order(list, r, f, found);
	}
	if (r->priority == f->rule_priority && r->priority) {
		++*found;
		doctor_add(list, DOCTOR_FAIL, "rules",
			   "supervisor { rule_priority: … }",
			   "another rule has our priority %u", r->priority);
	}
	if (r->table == f->route_table && !standard) {
		++*found;
		doctor_add(list, DOCTOR_FAIL, "rules",
			   "supervisor { route_table: … }",
			   "a rule of priority %u leads to our table %u",
			   r->priority, r->table);
	}
}

static int ask(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr h;
		struct fib_rule_hdr f;
	} q = {
		.h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_GETRULE,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = 1 },
		.f = { .family = family },
	};

	return send(fd, &q, sizeof(q), 0) < 0 ? -errno : 0;
}

/* One answer of the dump: 1 more to come, 0 the end, or -errno. */
static int take(json_t *list, int fd, const struct doctor_facts *f,
		unsigned int *found)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ANSWER_MAX];
	struct nlmsghdr *h = (void *)buf;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	struct rule r;

	if (n < 0)
		return -errno;
	for (; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		if (h->nlmsg_type != RTM_NEWRULE ||
		    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct fib_rule_hdr)))
			continue;
		r = read_rule(h);
		judge(list, &r, f, found);
	}
	return 1;
}

static int dump(json_t *list, uint8_t family, const struct doctor_facts *f,
		unsigned int *found)
{
	struct timeval wait = { .tv_sec = 2 };
	auto_fd int fd = -1;
	int r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	r = ask(fd, family);
	for (int i = 0; r >= 0 && i < ANSWERS_MAX; i++) {
		r = take(list, fd, f, found);
		if (r == 0)
			return 0;
	}
	return r < 0 ? r : -E2BIG;
}

void doctor_check_rules(json_t *list, const struct doctor_facts *f)
{
	unsigned int found = 0;
	int r;

	r = dump(list, AF_INET, f, &found);
	if (r == 0)
		r = dump(list, AF_INET6, f, &found);
	if (r < 0)
		doctor_add(list, DOCTOR_WARN, "rules", NULL,
			   "the policy rules could not be read: %s",
			   strerror(-r));
	else if (!found)
		doctor_add(list, DOCTOR_OK, "rules", NULL,
			   "no policy rule collides with mark 0x%x/0x%x, "
			   "priority %u, table %u",
			   f->mark, f->mark_mask, f->rule_priority,
			   f->route_table);
}
