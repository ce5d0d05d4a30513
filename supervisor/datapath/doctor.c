/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/error.h"
#include "supervisor/datapath/netlink.h"

#define CAP_NET_ADMIN_BIT 12
#define CAP_PERFMON_BIT 38
#define CAP_BPF_BIT 39
#define CHAIN_ATTRS 32

struct report {
	struct finding *items;
	size_t count, cap;
};

static void add(struct report *r, enum finding_level level, const char *what,
		const char *fmt, ...) DAE_PRINTF(4, 5);

static void add(struct report *r, enum finding_level level, const char *what,
		const char *fmt, ...)
{
	struct finding *f;
	va_list args;

	if (r->count == r->cap)
		return;
	f = &r->items[r->count++];
	f->level = level;
	snprintf(f->what, sizeof(f->what), "%s", what);
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

/* A small number from /proc, or -1. */
static int read_proc(const char *path)
{
	char buf[16] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atoi(buf) : -1;
}

static void check_capabilities(struct report *r)
{
	static const struct {
		const char *name;
		int bit;
	} wanted[] = {
		{ "CAP_BPF", CAP_BPF_BIT },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN_BIT },
		{ "CAP_PERFMON", CAP_PERFMON_BIT },
	};
	unsigned long long effective = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	size_t i;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (f)
		fclose(f);
	for (i = 0; i < ARRAY_LEN(wanted); i++)
		if (!(effective >> wanted[i].bit & 1))
			add(r, FINDING_WARN, "capabilities",
			    "%s is missing here; the daemon needs it to route",
			    wanted[i].name);
}

static void check_kernel(struct report *r)
{
	int jit = read_proc("/proc/sys/net/core/bpf_jit_enable");

	if (jit == 0)
		add(r, FINDING_WARN, "jit",
		    "the BPF JIT is off: every packet "
		    "costs many times more (net.core.bpf_jit_enable=1)");
	else if (jit > 0)
		add(r, FINDING_OK, "jit", "the BPF JIT is on");
	if (attach_has_tcx())
		add(r, FINDING_OK, "tcx",
		    "the kernel has tcx: programs are "
		    "swapped by one atomic update");
	else
		add(r, FINDING_WARN, "tcx",
		    "no tcx (Linux 6.6 has it, or BPF "
		    "is not permitted here): clsact filters are used");
}

static void check_bpffs(struct report *r, const char *pin_dir)
{
	char parent[256];
	struct statfs fs;
	char *slash;

	if (!pin_dir)
		return;
	snprintf(parent, sizeof(parent), "%s", pin_dir);
	if (statfs(parent, &fs) < 0) {
		slash = strrchr(parent, '/');
		if (slash && slash != parent)
			*slash = '\0';
		if (statfs(parent, &fs) < 0) {
			add(r, FINDING_FAIL, "bpffs", "%.100s: %s", parent,
			    strerror(errno));
			return;
		}
	}
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		add(r, FINDING_FAIL, "bpffs",
		    "%.100s is not on a BPF file "
		    "system: mount -t bpf bpf /sys/fs/bpf",
		    parent);
	else
		add(r, FINDING_OK, "bpffs", "%.100s", parent);
}

static void check_forwarding(struct report *r)
{
	static const struct {
		const char *path, *name;
	} switches[] = {
		{ "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding",
		  "net.ipv6.conf.all.forwarding" },
	};
	size_t i;
	int v;

	for (i = 0; i < ARRAY_LEN(switches); i++) {
		v = read_proc(switches[i].path);
		if (v == 0)
			add(r, FINDING_WARN, "forwarding",
			    "%s is 0: this "
			    "machine is no router yet",
			    switches[i].name);
	}
	if (read_proc("/proc/sys/net/ipv4/ip_early_demux") == 0)
		add(r, FINDING_WARN, "early_demux",
		    "net.ipv4.ip_early_demux is 0: packets of proxied "
		    "connections take the slower way to their socket");
}

/* --- nftables --- */

struct chain {
	char table[64], name[64];
	uint32_t hook, policy;
	bool is_base;
};

static void copy_string(char *to, size_t cap, const struct rtattr *a)
{
	size_t len = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

	len = MIN(len, cap - 1);
	if (len)
		memcpy(to, RTA_DATA(a), len);
	to[len] = '\0';
}

/* The hook number inside the nested attribute. */
static bool read_hook(const struct rtattr *nest, uint32_t *ret)
{
	const struct rtattr *a = RTA_DATA(nest);
	size_t len = RTA_PAYLOAD(nest);

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) != NFTA_HOOK_HOOKNUM)
			continue;
		*ret = ntohl(netlink_u32(a));
		return true;
	}
	return false;
}

static void read_chain(const struct nlmsghdr *h, struct chain *c)
{
	const struct rtattr *tb[CHAIN_ATTRS + 1];

	netlink_index(h, sizeof(struct nfgenmsg), tb, CHAIN_ATTRS);
	copy_string(c->table, sizeof(c->table), tb[NFTA_CHAIN_TABLE]);
	copy_string(c->name, sizeof(c->name), tb[NFTA_CHAIN_NAME]);
	c->is_base = tb[NFTA_CHAIN_HOOK] && tb[NFTA_CHAIN_POLICY] &&
		     read_hook(tb[NFTA_CHAIN_HOOK], &c->hook);
	c->policy = ntohl(netlink_u32(tb[NFTA_CHAIN_POLICY]));
}

/* What listeners get arrives by the input hook, with our mark on it. */
static int visit_chain(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	struct report *r = arg;
	struct chain c;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*g)) ||
	    (g->nfgen_family != NFPROTO_IPV4 &&
	     g->nfgen_family != NFPROTO_IPV6 &&
	     g->nfgen_family != NFPROTO_INET))
		return 0;
	read_chain(h, &c);
	if (c.is_base && c.policy == NF_DROP &&
	    (c.hook == NF_INET_LOCAL_IN || c.hook == NF_INET_PRE_ROUTING))
		add(r, FINDING_WARN, "nftables",
		    "chain %s of table %s drops by policy what no rule "
		    "accepts: let it accept packets with our mark (meta mark "
		    "and MASK == MARK accept)",
		    c.name, c.table);
	return 0;
}

static void check_nftables(struct report *r)
{
	struct netlink_message m;
	size_t before = r->count;
	int e;

	netlink_start(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, 0,
		      sizeof(struct nfgenmsg));
	e = netlink_dump(NETLINK_NETFILTER, &m, visit_chain, r);
	if (e == -EINVAL || e == -EPROTONOSUPPORT || e == -EOPNOTSUPP)
		add(r, FINDING_OK, "nftables", "not in this kernel, %s",
		    "no input chain can drop");
	else if (e < 0)
		add(r, FINDING_WARN, "nftables", "could not be read: %s",
		    strerror(-e));
	else if (r->count == before)
		add(r, FINDING_OK, "nftables",
		    "no input chain drops by policy");
}

size_t datapath_doctor(const char *pin_dir, struct finding *ret, size_t cap)
{
	struct report r = { .items = ret, .cap = cap };

	error_capture_libbpf();
	check_capabilities(&r);
	check_kernel(&r);
	check_bpffs(&r, pin_dir);
	check_forwarding(&r);
	check_nftables(&r);
	return r.count;
}
