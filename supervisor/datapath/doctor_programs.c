/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else has programs where ours sit. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/doctor_report.h"
#include "supervisor/datapath/netlink.h"
#include "supervisor/datapath/tcx_abi.h"

#define PROGRAMS_MAX 64

/* Whose programs are called so. */
static const struct {
	const char *prefix, *owner, *hint;
} owners[] = {
	{ "cil_", "Cilium",
	  "take the interface out of Cilium's devices, or out of "
	  "lan_interface" },
	{ "tproxy_", "dae", "systemctl stop dae" },
	{ "lan_ingress", "dae", "systemctl stop dae" },
	{ "wan_ingress", "dae", "systemctl stop dae" },
};

struct place {
	struct report *report;
	char name[IF_NAMESIZE];
	const char *hook;
	size_t found;
};

static void note(struct place *p, const char *program, uint32_t id,
		 const char *follows)
{
	const char *owner = "somebody else", *hint = NULL;
	struct finding *f;

	if (strncmp(program, ATTACH_PROGRAM_PREFIX,
		    strlen(ATTACH_PROGRAM_PREFIX)) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(owners); i++)
		if (strncmp(program, owners[i].prefix,
			    strlen(owners[i].prefix)) == 0) {
			owner = owners[i].owner;
			hint = owners[i].hint;
		}
	p->found++;
	f = report_add(p->report, FINDING_WARN, "programs",
		       "%s: %.24s (id %u), of %s, is on %s, too: %s", p->name,
		       *program ? program : "a program", id, owner, p->hook,
		       follows);
	if (hint)
		report_hint(f, "%s", hint);
	else if (id)
		report_hint(f, "bpftool prog show id %u", id);
}

/* To open a program by its number takes more than we may have. */
static void name_of(uint32_t id, char ret[BPF_OBJ_NAME_LEN + 1])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	*ret = '\0';
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		snprintf(ret, BPF_OBJ_NAME_LEN + 1, "%s", info.name);
	close(fd);
}

static void look_at_tcx(struct place *p, uint32_t ifindex)
{
	uint32_t ids[PROGRAMS_MAX];
	LIBBPF_OPTS(bpf_prog_query_opts, q, .prog_ids = ids,
		    .prog_cnt = PROGRAMS_MAX);
	char name[BPF_OBJ_NAME_LEN + 1];

	if (bpf_prog_query_opts((int)ifindex, DAE_TCX_INGRESS, &q) < 0)
		return;
	p->hook = "tcx ingress";
	for (uint32_t i = 0; i < q.prog_cnt; i++) {
		name_of(ids[i], name);
		note(p, name, ids[i],
		     "what the first one ends the other does not see");
	}
}

static int visit_filter(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *tc = NLMSG_DATA(h);
	const struct rtattr *tb[TCA_MAX + 1], *name, *id;
	char text[64] = "";
	struct place *p = arg;

	if (h->nlmsg_type != RTM_NEWTFILTER ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*tc)) || !tc->tcm_handle)
		return 0;
	netlink_index(h, sizeof(*tc), tb, TCA_MAX);
	name = netlink_inside(tb[TCA_OPTIONS], TCA_BPF_NAME);
	id = netlink_inside(tb[TCA_OPTIONS], TCA_BPF_ID);
	if (!tb[TCA_KIND] || RTA_PAYLOAD(tb[TCA_KIND]) < sizeof("bpf") ||
	    memcmp(RTA_DATA(tb[TCA_KIND]), "bpf", sizeof("bpf")) != 0)
		return 0;
	if (name)
		snprintf(text, sizeof(text), "%.*s",
			 (int)MIN(RTA_PAYLOAD(name), sizeof(text) - 1),
			 (const char *)RTA_DATA(name));
	note(p, text, netlink_u32(id),
	     "a filter of lower priority number that ends a packet hides it");
	return 0;
}

static void look_at_clsact(struct place *p, uint32_t ifindex)
{
	struct netlink_message m;
	struct tcmsg *tc;

	p->hook = "clsact ingress";
	tc = netlink_start(&m, RTM_GETTFILTER, 0, sizeof(*tc));
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	netlink_dump(NETLINK_ROUTE, &m, visit_filter, p);
}

static int visit_link(const struct nlmsghdr *h, void *arg)
{
	const struct rtattr *tb[IFLA_MAX + 1];
	char name[BPF_OBJ_NAME_LEN + 1];
	struct place *p = arg;
	uint32_t id;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return 0;
	netlink_index(h, sizeof(struct ifinfomsg), tb, IFLA_MAX);
	id = netlink_u32(netlink_inside(tb[IFLA_XDP], IFLA_XDP_PROG_ID));
	if (!id)
		return 0;
	name_of(id, name);
	note(p, name, id, "what it takes away no rule sees");
	return 0;
}

static void look_at_xdp(struct place *p, uint32_t ifindex)
{
	struct netlink_message m;
	struct ifinfomsg *i;

	p->hook = "XDP";
	i = netlink_start(&m, RTM_GETLINK, 0, sizeof(*i));
	i->ifi_index = (int)ifindex;
	netlink_ask(NETLINK_ROUTE, &m, visit_link, p);
}

void doctor_programs(struct report *r, const struct doctor_options *opt)
{
	struct place p = { .report = r };

	for (size_t i = 0; i < opt->lan_count; i++) {
		if (!if_indextoname(opt->lan[i], p.name))
			continue;
		look_at_tcx(&p, opt->lan[i]);
		look_at_clsact(&p, opt->lan[i]);
		look_at_xdp(&p, opt->lan[i]);
	}
	if (opt->lan_count && !p.found)
		report_add(r, FINDING_OK, "programs",
			   "nobody else's on the interfaces of the LAN");
}
