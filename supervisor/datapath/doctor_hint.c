/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/doctor_hint.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#define ZONE_PREFIX "filter_IN_"
#define FORWARD_ZONE_PREFIX "filter_FWD_"

enum firewall {
	FIREWALL_NFTABLES,
	FIREWALL_IPTABLES,
	FIREWALL_UFW,
	FIREWALL_FIREWALLD,
};

static enum firewall firewall_of(const struct hint_facts *f)
{
	static const char *const tables[] = { "filter", "mangle", "raw", "nat",
					      "security" };
	const struct nft_drop *d = f->drop;

	if (strcmp(d->table, "firewalld") == 0)
		return FIREWALL_FIREWALLD;
	if (d->family == NFPROTO_INET)
		return FIREWALL_NFTABLES;
	if (strncmp(d->where, "ufw", 3) == 0 ||
	    strncmp(d->called, "ufw", 3) == 0)
		return FIREWALL_UFW;
	/* what the tools of iptables make, in capitals */
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (strcmp(d->table, tables[i]) == 0 && d->chain[0] >= 'A' &&
		    d->chain[0] <= 'Z')
			return FIREWALL_IPTABLES;
	return FIREWALL_NFTABLES;
}

const char *hint_firewall(const struct hint_facts *f)
{
	static const char *const names[] = {
		[FIREWALL_NFTABLES] = "nftables",
		[FIREWALL_IPTABLES] = "iptables",
		[FIREWALL_UFW] = "ufw",
		[FIREWALL_FIREWALLD] = "firewalld",
	};

	return names[firewall_of(f)];
}

const char *hint_remark(const struct hint_facts *f)
{
	if (firewall_of(f) != FIREWALL_FIREWALLD)
		return "";
	if (f->hook == NF_INET_PRE_ROUTING)
		return ": the way back is looked up by the packet's mark";
	if (f->is_zone_shared)
		return ": the LAN needs a zone of its own";
	if (!f->is_proxied)
		return "";
	return " (the zone cannot tell them from the router's own services, "
	       "which are opened, too)";
}

const char *hint_zone(const struct nft_drop *d)
{
	const char *c = d->called;

	if (strncmp(c, ZONE_PREFIX, strlen(ZONE_PREFIX)) == 0)
		return c + strlen(ZONE_PREFIX);
	if (strncmp(c, FORWARD_ZONE_PREFIX, strlen(FORWARD_ZONE_PREFIX)) == 0)
		return c + strlen(FORWARD_ZONE_PREFIX);
	return "public";
}

static void say_firewalld(const struct hint_facts *f, char *ret, size_t cap)
{
	static const char policy[] =
		"firewall-cmd --permanent --policy=lan-out";
	const char *zone = hint_zone(f->drop);

	if (f->hook == NF_INET_PRE_ROUTING)
		snprintf(ret, cap,
			 "sed -i 's/^IPv6_rpfilter=.*/IPv6_rpfilter=no/' "
			 "/etc/firewalld/firewalld.conf && "
			 "systemctl restart firewalld");
	else if (
		f->is_zone_shared) /* what is opened for one is for the other */
		snprintf(ret, cap,
			 "firewall-cmd --permanent --zone=internal "
			 "--change-interface=%s && firewall-cmd --reload",
			 f->packet->iif);
	else if (f->is_proxied)
		snprintf(ret, cap,
			 "firewall-cmd --permanent --zone=%.32s "
			 "--add-protocol=tcp --add-protocol=udp && "
			 "firewall-cmd --reload",
			 zone);
	else
		snprintf(ret, cap,
			 "firewall-cmd --permanent --new-policy=lan-out; "
			 "%s --add-ingress-zone=%.32s && "
			 "%s --add-egress-zone=ANY && "
			 "%s --set-target=ACCEPT && firewall-cmd --reload",
			 policy, zone, policy, policy);
}

static void say_ufw(const struct hint_facts *f, char *ret, size_t cap)
{
	if (!f->is_proxied) {
		snprintf(ret, cap, "ufw route allow in on %s", f->packet->iif);
		return;
	}
	/* its commands know no marks, and what is for other addresses is
	 * dropped before the rules that they make */
	snprintf(ret, cap,
		 "sed -i '/^# End required/a -A ufw-before-input -m mark "
		 "--mark 0x%x/0x%x -j ACCEPT' /etc/ufw/before.rules && "
		 "sed -i '/^# End required/a -A ufw6-before-input -m mark "
		 "--mark 0x%x/0x%x -j ACCEPT' /etc/ufw/before6.rules && "
		 "ufw reload",
		 f->mark, f->mark_mask, f->mark, f->mark_mask);
}

static void say_iptables(const struct hint_facts *f, char *ret, size_t cap)
{
	const struct nft_drop *d = f->drop;
	const char *tool = d->family == NFPROTO_IPV6 ? "ip6tables" : "iptables";
	bool is_filter = strcmp(d->table, "filter") == 0;
	const char *chain = d->chain, *iif = f->packet->iif;

	if (f->is_proxied) {
		snprintf(ret, cap,
			 "%s%s%.32s -I %.40s -m mark --mark 0x%x/0x%x -j "
			 "ACCEPT",
			 tool, is_filter ? "" : " -t ",
			 is_filter ? "" : d->table, chain, f->mark,
			 f->mark_mask);
		return;
	}
	if (f->has_docker && strcmp(chain, "FORWARD") == 0)
		chain = "DOCKER-USER";
	snprintf(ret, cap,
		 "%s -I %.40s -i %s -j ACCEPT && %s -I %.40s -o %s "
		 "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		 tool, chain, iif, tool, chain, iif);
}

static void say_nft(const struct hint_facts *f, char *ret, size_t cap)
{
	const struct nft_drop *d = f->drop;
	const char *family = d->family == NFPROTO_IPV4	 ? "ip"
			     : d->family == NFPROTO_IPV6 ? "ip6"
							 : "inet";

	if (f->is_proxied)
		snprintf(ret, cap,
			 "nft insert rule %s %s %s meta mark and 0x%x == 0x%x "
			 "accept",
			 family, d->table, d->chain, f->mark_mask, f->mark);
	else
		snprintf(ret, cap,
			 "nft insert rule %s %s %s iifname %s accept && "
			 "nft insert rule %s %s %s ct state "
			 "established,related accept",
			 family, d->table, d->chain, f->packet->iif, family,
			 d->table, d->chain);
}

/* It is to be pasted into a shell: nothing that means something there. */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-.:@+", *name))
			return false;
	return true;
}

void hint_command(const struct hint_facts *f, char *ret, size_t cap)
{
	const struct nft_drop *d = f->drop;

	*ret = '\0';
	if (!is_plain(d->table) || !is_plain(d->chain) ||
	    !is_plain(d->called) || !is_plain(f->packet->iif))
		return;
	switch (firewall_of(f)) {
	case FIREWALL_FIREWALLD:
		say_firewalld(f, ret, cap);
		break;
	case FIREWALL_UFW:
		say_ufw(f, ret, cap);
		break;
	case FIREWALL_IPTABLES:
		say_iptables(f, ret, cap);
		break;
	case FIREWALL_NFTABLES:
		say_nft(f, ret, cap);
		break;
	}
}
