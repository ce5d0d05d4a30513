/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firewalls. What an engine gets passes the hooks prerouting and input with our
 * mark on it, which a usual router drops there, as it is for an address that is
 * not its own. What goes direct passes prerouting and forward.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>

#include "supervisor/datapath/doctor_hint.h"
#include "supervisor/datapath/doctor_report.h"
#include "supervisor/datapath/netlink.h"
#include "supervisor/datapath/nft.h"

#define DROPS_MAX 8
#define LINKS_MAX 16 /* of a firewall's view all are alike after these */

/* Where nobody of the router's or of its rules is. */
#define FAR_PORT 47113
#define NEAR_PORT 50505
static const uint8_t far4[4] = { 203, 0, 113, 77 };
static const uint8_t far6[16] = { 0x20, 1, 0xd, 0xb8, 0xff, 0xff, [15] = 0x77 };

struct seeker {
	struct report *report;
	const struct doctor_options *opt;
	const struct nft_ruleset *rules;
	char way_out[16]; /* the interface of the default route */
	size_t dropped;
};

/* A neighbour of the interface's own address; zeros if it has none. */
static void set_source(struct nft_packet *p, uint8_t *to)
{
	size_t len = p->family == AF_INET ? 4 : 16;
	struct ifaddrs *all = NULL, *i;
	const uint8_t *from;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != p->family ||
		    strcmp(i->ifa_name, p->iif) != 0)
			continue;
		from = p->family == AF_INET
			       ? (void *)&((struct sockaddr_in *)i->ifa_addr)
					 ->sin_addr
			       : (void *)&((struct sockaddr_in6 *)i->ifa_addr)
					 ->sin6_addr;
		if (p->family == AF_INET6 && from[0] == 0xfe)
			continue;
		memcpy(to, from, len);
		to[len - 1] ^= 1;
		break;
	}
	freeifaddrs(all);
}

static void fill(struct nft_packet *p)
{
	uint8_t *h = p->network;

	if (p->family == AF_INET) {
		h[0] = 0x45;
		h[3] = 60;
		h[8] = 64;
		h[9] = p->proto;
		set_source(p, h + 12);
		memcpy(h + 16, far4, sizeof(far4));
	} else {
		h[0] = 0x60;
		h[5] = 40;
		h[6] = p->proto;
		h[7] = 64;
		set_source(p, h + 8);
		memcpy(h + 24, far6, sizeof(far6));
	}
	p->transport[0] = NEAR_PORT >> 8;
	p->transport[1] = NEAR_PORT & 0xff;
	p->transport[2] = FAR_PORT >> 8;
	p->transport[3] = FAR_PORT & 0xff;
}

static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	struct nft_packet *p = arg;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	    rt->rtm_family != p->family || rt->rtm_dst_len ||
	    rt->rtm_table != RT_TABLE_MAIN || rt->rtm_type != RTN_UNICAST)
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	if (!p->oif_index)
		p->oif_index = netlink_u32(tb[RTA_OIF]);
	return 0;
}

/* The interface of the default route. */
static bool find_way_out(struct nft_packet *p)
{
	struct netlink_message m;
	struct rtmsg *rt;

	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = p->family;
	return netlink_dump(NETLINK_ROUTE, &m, visit_route, p) == 0 &&
	       p->oif_index && if_indextoname(p->oif_index, p->oif);
}

/* One finding for each command that would mend it. */
static bool is_known(const struct report *r, const char *hint)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].hint, hint) == 0)
			return true;
	return false;
}

/* Whether what comes from outside meets the same zone of firewalld. */
static bool is_zone_shared(const struct seeker *s, const struct nft_packet *p,
			   const struct nft_drop *d)
{
	struct nft_packet outer = *p;
	struct nft_drop drops[DROPS_MAX];
	size_t n;

	if (strcmp(d->table, "firewalld") != 0 || !*s->way_out)
		return false;
	memcpy(outer.iif, s->way_out, sizeof(outer.iif));
	outer.iif_index = if_nametoindex(outer.iif);
	n = nft_run(s->rules, &outer, NF_INET_LOCAL_IN, drops, DROPS_MAX);
	for (size_t i = 0; i < n; i++)
		if (strcmp(drops[i].table, d->table) == 0 &&
		    strcmp(hint_zone(&drops[i]), hint_zone(d)) == 0)
			return true;
	return false;
}

static void note(struct seeker *s, const struct nft_packet *p,
		 const struct nft_drop *d, uint32_t hook, bool is_proxied)
{
	struct hint_facts facts = { .packet = p,
				    .drop = d,
				    .hook = hook,
				    .mark = s->opt->mark,
				    .mark_mask = s->opt->mark_mask,
				    .is_proxied = is_proxied,
				    .is_zone_shared = is_zone_shared(s, p, d),
				    .has_docker = nft_has_chain(
					    s->rules, "DOCKER-USER") };
	char hint[sizeof(s->report->items->hint)], kind[32];
	struct finding *f;

	s->dropped++;
	hint_command(&facts, hint, sizeof(hint));
	if (is_known(s->report, hint))
		return;
	snprintf(kind, sizeof(kind), "%s IPv%d %s",
		 is_proxied ? "proxied" : "direct",
		 p->family == AF_INET ? 4 : 6,
		 p->proto == IPPROTO_TCP ? "TCP" : "UDP");
	f = report_add(s->report, FINDING_WARN, hint_firewall(&facts),
		       "chain %.40s of table %.40s drops %s flows from %.15s%s"
		       "%s",
		       d->where, d->table, kind, *p->iif ? p->iif : "the LAN",
		       d->by_policy ? " by its policy" : "",
		       hint_remark(&facts));
	report_hint(f, "%s", hint);
}

static void send_one(struct seeker *s, const struct nft_packet *first,
		     uint32_t hook, bool is_proxied)
{
	const uint32_t hooks[] = { NF_INET_PRE_ROUTING, hook };
	struct nft_packet p = *first;
	struct nft_drop drops[DROPS_MAX];
	size_t n;

	fill(&p);
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		n = nft_run(s->rules, &p, hooks[i], drops, DROPS_MAX);
		for (size_t k = 0; k < n; k++)
			note(s, &p, &drops[k], hooks[i], is_proxied);
	}
}

static void send_all(struct seeker *s, uint32_t ifindex)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct nft_packet p;

	for (size_t i = 0; i < ARRAY_LEN(families) * ARRAY_LEN(protos); i++) {
		p = (struct nft_packet){ .family = families[i / 2],
					 .proto = protos[i % 2],
					 .iif_index = ifindex };
		if (ifindex && !if_indextoname(ifindex, p.iif))
			return;
		*s->way_out = '\0';
		if (find_way_out(&p) && p.oif_index != ifindex) {
			memcpy(s->way_out, p.oif, sizeof(s->way_out));
			send_one(s, &p, NF_INET_FORWARD, false);
		}
		p.oif[0] = '\0';
		p.oif_index = 0;
		p.mark = s->opt->mark;
		p.is_taken = true;
		send_one(s, &p, NF_INET_LOCAL_IN, true);
	}
}

/* The old iptables keep their rules elsewhere: they cannot be read here. */
static void look_for_legacy(struct report *r, const struct doctor_options *opt)
{
	static const char *const files[] = { "/proc/net/ip_tables_names",
					     "/proc/net/ip6_tables_names" };
	struct finding *f;
	char byte;
	FILE *in;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		in = fopen(files[i], "re");
		if (in && fread(&byte, 1, 1, in) == 1) {
			f = report_add(
				r, FINDING_WARN, "iptables",
				"ip%stables-legacy has tables, which are "
				"not judged: see that INPUT accepts our "
				"mark",
				i ? "6" : "");
			report_hint(f,
				    "ip%stables-legacy -I INPUT -m mark --mark "
				    "0x%x/0x%x -j ACCEPT",
				    i ? "6" : "", opt->mark, opt->mark_mask);
		}
		if (in)
			fclose(in);
	}
}

void doctor_nftables(struct report *r, const struct doctor_options *opt)
{
	struct seeker s = { .report = r, .opt = opt };
	struct nft_ruleset *rules = NULL;
	int e = nft_read(&rules);

	look_for_legacy(r, opt);
	if (e == -EINVAL || e == -EPROTONOSUPPORT || e == -EOPNOTSUPP) {
		report_add(r, FINDING_OK, "nftables",
			   "not in this kernel, no chain of it can drop");
		return;
	}
	if (e < 0) {
		report_add(r, FINDING_WARN, "nftables", "could not be read: %s",
			   strerror(-e));
		return;
	}
	s.rules = rules;
	for (size_t i = 0; i < MIN(opt->lan_count, (size_t)LINKS_MAX); i++)
		send_all(&s, opt->lan[i]);
	if (!opt->lan_count)
		send_all(&s, 0);
	if (nft_is_cut(rules))
		report_add(r, FINDING_WARN, "nftables",
			   "not all rules could be read: what was is judged");
	else if (!s.dropped)
		report_add(r, FINDING_OK, "nftables",
			   "no chain drops flows of the LAN (conditions that "
			   "cannot be judged count as not met)");
	nft_free(&rules);
}
