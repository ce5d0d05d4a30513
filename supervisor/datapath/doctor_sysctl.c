/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls in the way. Those that we set ourselves are in sysctl.c. */
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/datapath/doctor_report.h"
#include "supervisor/datapath/policy.h"

/* Of the whole machine: the value that hinders, and what follows. */
static const struct {
	const char *path, *name;
	int bad;
	const char *what, *text;
} switches[] = {
	{ "net/ipv4/ip_forward", "net.ipv4.ip_forward", 0, "forwarding",
	  "is 0: this machine is no router yet" },
	{ "net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding", 0,
	  "forwarding", "is 0: this machine is no router yet" },
	{ "net/ipv4/ip_early_demux", "net.ipv4.ip_early_demux", 0,
	  "early_demux",
	  "is 0: packets of proxied connections take the slower way to their "
	  "socket" },
	{ "net/ipv4/tcp_fwmark_accept", "net.ipv4.tcp_fwmark_accept", 1,
	  "fwmark_accept",
	  "is 1: an engine's answers get our mark and come back to it instead "
	  "of going to the client" },
};

static void check_machine(struct report *r)
{
	struct finding *f;

	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (report_read("/proc/sys/%s", switches[i].path) !=
		    switches[i].bad)
			continue;
		f = report_add(r, FINDING_WARN, switches[i].what, "%s %s",
			       switches[i].name, switches[i].text);
		report_hint(f, "sysctl -w %s=%d", switches[i].name,
			    !switches[i].bad);
	}
}

static void check_forwarding(struct report *r, const char *name)
{
	struct finding *f;

	if (report_read("/proc/sys/net/ipv4/ip_forward") != 1 ||
	    report_read("/proc/sys/net/ipv4/conf/%s/forwarding", name) != 0)
		return;
	f = report_add(r, FINDING_WARN, "forwarding",
		       "net.ipv4.conf.%s.forwarding is 0: direct flows from "
		       "there are dropped",
		       name);
	report_hint(f, "sysctl -w net.ipv4.conf.%s.forwarding=1", name);
}

/* The kernel takes the larger of both. */
static void check_mark(struct report *r, const char *name)
{
	static const char key[] = "src_valid_mark";
	const char *who = report_read("/proc/sys/net/ipv4/conf/all/%s", key) ==
					  1
				  ? "all"
			  : report_read("/proc/sys/net/ipv4/conf/%s/%s", name,
					key) == 1
				  ? name
				  : NULL;
	struct finding *f;

	if (!who)
		return;
	f = report_add(r, FINDING_WARN, "src_valid_mark",
		       "net.ipv4.conf.%s.%s is 1: the way back is looked up by "
		       "our mark, proxied IPv4 flows from %s are dropped",
		       who, key, name);
	report_hint(f, "sysctl -w net.ipv4.conf.%s.%s=0", who, key);
}

static void check_bridge(struct report *r, const char *name)
{
	char path[PATH_MAX];
	struct finding *f;
	bool four, six;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport", name);
	if (access(path, F_OK) < 0)
		return;
	four = report_read("/proc/sys/net/bridge/bridge-nf-call-iptables") == 1;
	six = report_read("/proc/sys/net/bridge/bridge-nf-call-ip6tables") == 1;
	if (!four && !six)
		return;
	f = report_add(r, FINDING_WARN, "bridge",
		       "%s is a port of a bridge, whose packets go through "
		       "iptables: proxied flows are lost; name the bridge in "
		       "lan_interface, or",
		       name);
	report_hint(f, "sysctl -w net.bridge.bridge-nf-call-iptables=0 "
		       "net.bridge.bridge-nf-call-ip6tables=0");
}

/* A router with one arm tells its clients of the other router: from then on
 * they pass it by. Of this the interface's own value alone says nothing. */
static void check_redirects(struct report *r, const char *name,
			    uint32_t ifindex)
{
	struct finding *f;

	if (report_read("/proc/sys/net/ipv4/conf/all/send_redirects") != 1 ||
	    !policy_is_way_out(ifindex))
		return;
	f = report_add(r, FINDING_WARN, "redirects",
		       "clients of %s are told of the router behind it and "
		       "then pass this one by, with what the rules say",
		       name);
	report_hint(f, "sysctl -w net.ipv4.conf.all.send_redirects=0");
}

void doctor_sysctls(struct report *r, const struct doctor_options *opt)
{
	char name[IF_NAMESIZE];

	check_machine(r);
	for (size_t i = 0; i < opt->lan_count; i++) {
		if (!if_indextoname(opt->lan[i], name))
			continue;
		check_forwarding(r, name);
		check_mark(r, name);
		check_bridge(r, name);
		check_redirects(r, name, opt->lan[i]);
	}
}
