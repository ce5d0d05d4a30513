/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, routes, sysctls and the doctor, in a namespace of their own. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/doctor.h"
#include "supervisor/datapath/policy.h"
#include "tests/bpf/rig.h"
#include "tests/bpf/world.h"

static const struct policy_local local = { 0x8000000, 0x8000000, 2023, 2023,
					   true };
#define SAVED "/tmp/dae-saved-sysctls-test"

static int setup(void **state)
{
	int r = rig_setup(state);

	world_run(
		"ip link set lo up && ip link add up0 type veth peer name up1 "
		"&& ip link set up0 up && ip link set up1 up");
	unlink(SAVED);
	return r;
}

static struct policy_uplink uplink(uint32_t mark)
{
	return (struct policy_uplink){ .mark = mark,
				       .priority = 2024,
				       .table = 3000,
				       .ifindex = if_nametoindex("up0") };
}

/* @make is in the way; the message names it. */
static void collides(const char *make, const char *undo, const char *named)
{
	struct policy_uplink up = uplink(0x77);
	struct datapath_error err = { 0 };

	world_run("%s", make);
	assert_int_equal(policy_check(&local, &up, 1, &err), -EEXIST);
	if (!strstr(err.text, named))
		fail_msg("\"%s\" does not name \"%s\"", err.text, named);
	world_run("%s", undo);
	assert_int_equal(policy_check(&local, &up, 1, &err), 0);
}

static void collisions_are_named(void **state DAE_UNUSED)
{
	collides(
		"ip rule add fwmark 0x8000000/0xff000000 lookup 7 priority 900",
		"ip rule del priority 900",
		"IPv4 rule 900: fwmark 0x8000000/0xff000000 lookup 7");
	collides("ip -6 rule add fwmark 0x77 lookup 8 priority 901",
		 "ip -6 rule del priority 901",
		 "IPv6 rule 901: fwmark 0x77/0xffffffff lookup 8");
	collides("ip rule add from 10.9.9.9 lookup 9 priority 2023",
		 "ip rule del priority 2023", "rule priority");
	collides("ip rule add from 10.9.9.9 lookup 2023 priority 77",
		 "ip rule del priority 77", "routing table");
	collides("ip route add 10.8.0.0/16 dev up0 table 3000",
		 "ip route flush table 3000", "routing table 3000");
}

static void own_marks_must_not_meet(void **state DAE_UNUSED)
{
	struct policy_uplink two[2] = { uplink(0x77), uplink(0x77) };
	struct datapath_error err = { 0 };

	two[1].table = 3001;
	assert_int_equal(policy_check(&local, two, 2, &err), -EEXIST);
	two[1].mark = 0x8000001;
	assert_int_equal(policy_check(&local, two, 2, &err), -EEXIST);
	two[1].mark = 0x78;
	assert_int_equal(policy_check(&local, two, 2, &err), 0);
	two[1].mask = ~0xfU;
	assert_int_equal(policy_check(&local, two, 2, &err), -EEXIST);
}

/* Probes through an uplink carry a mark of their own beside its mark. */
static void some_bits_are_not_compared(void **state DAE_UNUSED)
{
	struct policy_uplink up = uplink(0x77);
	struct datapath_error err = { 0 };

	up.mask = ~0x100U;
	assert_int_equal(policy_apply(&local, &up, 1, &err), 0);
	world_run("ip route get 192.0.2.1 mark 0x77 | grep -q 'dev up0' && "
		  "ip route get 192.0.2.1 mark 0x177 | grep -q 'dev up0' && "
		  "! ip route get 192.0.2.1 mark 0x277");
	assert_int_equal(policy_remove(), 0);
}

static void unwanted_entries_go(void **state DAE_UNUSED)
{
	struct policy_uplink two[2] = { uplink(0x77), uplink(0x78) };
	struct datapath_error err = { 0 };

	two[1].table = 3001;
	if (policy_apply(&local, two, 2, &err) < 0)
		fail_msg("%s", err.text);
	world_run("ip rule | grep -q 'fwmark 0x78 lookup 3001' && "
		  "ip -6 rule | grep -q 'fwmark 0x78 lookup 3001' && "
		  "ip route show table 3001 | grep -q 'default dev up0' && "
		  "ip route show table 2023 | grep -q 'local default dev lo'");
	assert_int_equal(policy_apply(&local, two, 1, &err), 0);
	world_run("! ip rule | grep -q 3001 && ! ip -6 rule | grep -q 3001 && "
		  "! ip route show table all | grep -q 'table 3001' && "
		  "ip rule | grep -q 'fwmark 0x77 lookup 3000'");
	assert_int_equal(policy_remove(), 0);
	assert_int_equal(policy_remove(), 0);
	world_run("! ip rule | grep -q -e 2023 -e 3000 && "
		  "! ip -6 route show table all | grep -q 'table 2023'");
}

static void reverse_path_is_restored(void **state DAE_UNUSED)
{
	const char *const is =
		"test $(sysctl -n net.ipv4.conf.up0.rp_filter) = ";

	world_run("sysctl -qw net.ipv4.conf.all.rp_filter=0 "
		  "net.ipv4.conf.up0.rp_filter=0");
	assert_int_equal(policy_set_sysctls("up0", POLICY_UPLINK, SAVED), 0);
	world_run("%s0 && test ! -e " SAVED, is);
	world_run("sysctl -qw net.ipv4.conf.up0.rp_filter=1");
	assert_int_equal(policy_set_sysctls("up0", POLICY_UPLINK, SAVED), 0);
	world_run("%s2", is);
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	world_run("%s1 && test ! -e " SAVED, is);
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	/* somebody has changed it since: theirs stays */
	assert_int_equal(policy_set_sysctls("up0", POLICY_UPLINK, SAVED), 0);
	world_run("sysctl -qw net.ipv4.conf.up0.rp_filter=0");
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	world_run("%s0", is);
	assert_int_equal(policy_set_sysctls("../all", POLICY_UPLINK, SAVED),
			 -EINVAL);
}

/* A router whose clients and way out are on one interface. */
static void redirects_are_restored(void **state DAE_UNUSED)
{
	const char *const is =
		"test $(sysctl -n net.ipv4.conf.up0.send_redirects) = ";
	uint32_t up = if_nametoindex("up0");

	assert_false(policy_is_way_out(up));
	world_run("ip addr add 10.5.0.1/24 dev up0 && "
		  "ip route add default via 10.5.0.2");
	assert_true(policy_is_way_out(up));
	assert_false(policy_is_way_out(if_nametoindex("up1")));
	/* of all interfaces: nothing of one could help */
	world_run("sysctl -qw net.ipv4.conf.all.send_redirects=1 "
		  "net.ipv4.conf.up0.send_redirects=1");
	assert_int_equal(policy_set_sysctls("up0", POLICY_ONE_ARM, SAVED), 0);
	world_run("%s1 && test ! -e " SAVED, is);
	world_run("sysctl -qw net.ipv4.conf.all.send_redirects=0");
	assert_int_equal(policy_set_sysctls("up0", POLICY_ONE_ARM, SAVED), 0);
	world_run("%s0", is);
	/* somebody insists: saved once */
	world_run("sysctl -qw net.ipv4.conf.up0.send_redirects=1");
	assert_int_equal(policy_set_sysctls("up0", POLICY_ONE_ARM, SAVED), 0);
	world_run("%s0 && test $(wc -l <" SAVED ") = 1", is);
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	world_run("%s1 && test ! -e " SAVED, is);
}

static const struct finding *find(const struct finding *f, size_t n,
				  const char *what, const char *text)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(f[i].what, what) == 0 && strstr(f[i].text, text))
			return &f[i];
	return NULL;
}

static size_t look(const char *pins, struct finding *f, size_t cap)
{
	uint32_t lan = if_nametoindex("up0");
	struct doctor_options opt = { .pin_dir = pins,
				      .mark = local.mark,
				      .mark_mask = local.mark_mask,
				      .lan = &lan,
				      .lan_count = 1 };

	return datapath_doctor(&opt, f, cap);
}

static void the_doctor_looks(void **state)
{
	static struct finding f[32];
	const struct rig *r = *state;
	size_t n;

	world_run("sysctl -qw net.ipv4.ip_forward=0 "
		  "net.ipv4.conf.up0.src_valid_mark=1 "
		  "net.ipv4.tcp_fwmark_accept=1");
	n = look(r->pins, f, ARRAY_LEN(f));
	assert_non_null(find(f, n, "tcx", ""));
	assert_int_equal(find(f, n, "features", "")->level, FINDING_OK);
	assert_int_equal(find(f, n, "bpffs", r->bpffs)->level, FINDING_OK);
	assert_string_equal(
		find(f, n, "forwarding", "net.ipv4.ip_forward is 0")->hint,
		"sysctl -w net.ipv4.ip_forward=1");
	assert_string_equal(find(f, n, "src_valid_mark", "up0")->hint,
			    "sysctl -w net.ipv4.conf.up0.src_valid_mark=0");
	assert_string_equal(find(f, n, "fwmark_accept", "is 1")->hint,
			    "sysctl -w net.ipv4.tcp_fwmark_accept=0");
	assert_non_null(find(f, n, "nftables", "no chain drops"));
	assert_non_null(find(f, n, "programs", "nobody else's"));
	n = look("/tmp", f, ARRAY_LEN(f));
	assert_int_equal(find(f, n, "bpffs", "/tmp")->level, FINDING_FAIL);
	/* what has no room is left out */
	assert_int_equal(look("/tmp", f, 2), 2);
}

/* A program that lets all pass, as a filter of up0; its number as text. */
static void attach_other(const char *name, char *ret_id, size_t cap)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS,
		    .ifindex = (int)if_nametoindex("up0"));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 7, .priority = 7);

	opts.prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL",
				     insns, ARRAY_LEN(insns), NULL);
	assert_true(opts.prog_fd >= 0);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	snprintf(ret_id, cap, "(id %u)", opts.prog_id);
	close(opts.prog_fd);
}

/* Programs of others where ours would be. */
static void the_doctor_finds_others(void **state)
{
	static struct finding f[32];
	const struct finding *got;
	char id[32];
	size_t n;

	(void)state;
	attach_other("cil_from_netdev", id, sizeof(id));
	n = look(NULL, f, ARRAY_LEN(f));
	got = find(f, n, "programs", "up0: cil_from_netdev");
	assert_non_null(got);
	assert_non_null(strstr(got->text, "of Cilium, is on clsact ingress"));
	assert_non_null(strstr(got->text, id));
	assert_non_null(strstr(got->hint, "out of Cilium's devices"));
	world_run("tc qdisc del dev up0 clsact");
	n = look(NULL, f, ARRAY_LEN(f));
	assert_int_equal(find(f, n, "programs", "nobody else's")->level,
			 FINDING_OK);
}

static void make_table(const char *policy, const char *rules)
{
	world_run("nft -f - <<'END'\n"
		  "table inet wall {}\ndelete table inet wall\n"
		  "table inet wall {\n"
		  " set lan { type ifname; elements = { \"up0\", \"x\" }; }\n"
		  " set nets { type ipv4_addr; flags interval;"
		  " elements = { 10.0.0.0/8, 203.0.113.0/24 }; }\n"
		  " chain room { accept; }\n chain hall { }\n"
		  " chain door { type filter hook input priority 0; "
		  "policy %s; %s\n }\n}\nEND",
		  policy, rules);
}

/* What the doctor says of chain "door" with these rules. */
static void expect_door(const char *policy, const char *rules, bool is_shut)
{
	static struct finding f[32];
	const struct finding *got;
	size_t n;

	make_table(policy, rules);
	n = look(NULL, f, ARRAY_LEN(f));
	got = find(f, n, "nftables",
		   is_shut ? "of table wall drops proxied" : "no chain drops");
	if (!got)
		fail_msg("%s; %s: %s", policy, rules,
			 find(f, n, "nftables", "")->text);
	assert_int_equal(got->level, is_shut ? FINDING_WARN : FINDING_OK);
	if (is_shut)
		assert_string_equal(got->hint,
				    "nft insert rule inet wall door meta mark "
				    "and 0x8000000 == 0x8000000 accept");
}

static const struct {
	const char *policy, *rules;
	bool is_shut;
} doors[] = {
	{ "accept", "", false },
	{ "drop", "", true },
	{ "accept", "tcp dport 22 accept; drop;", true },
	{ "accept", "tcp dport 22 accept; counter log drop;", true },
	{ "accept", "tcp dport 22 drop; udp sport 22 drop;", false },
	{ "accept", "reject;", true },
	{ "drop", "accept; drop;", false },
	{ "drop", "tcp dport 22 accept;", true },
	{ "drop", "return; accept;", true },
	/* flows are new, and to nobody here */
	{ "accept", "ct state new reject;", true },
	{ "drop", "ct state established,related accept;", true },
	{ "drop", "ct state vmap { new : accept, established : drop };",
	  false },
	{ "accept", "ct state invalid drop;", false },
	{ "accept", "fib daddr type != local drop;", true },
	{ "drop", "fib daddr type local accept;", true },
	/* chains that are called */
	{ "accept", "jump room; drop;", false },
	{ "accept", "jump hall; drop;", true },
	{ "drop", "goto hall; accept;", true },
	{ "drop", "tcp dport 22 jump room;", true },
	{ "accept", "iifname vmap { \"up0\" : jump hall }; drop;", true },
	{ "drop", "iifname vmap { \"up0\" : jump room, \"x\" : drop };",
	  false },
	/* interfaces */
	{ "drop", "iifname \"up0\" accept;", false },
	{ "drop", "iifname \"up*\" accept;", false },
	{ "drop", "iifname != \"up0\" accept;", true },
	{ "drop", "iif \"up0\" accept;", false },
	{ "drop", "iif \"lo\" accept;", true },
	{ "drop", "iifname @lan accept;", false },
	{ "drop", "iifname { \"up1\", \"lo\" } accept;", true },
	/* addresses: 203.0.113.0/24 and 2001:db8::/32 are far */
	{ "drop", "meta nfproto ipv6 accept; ip daddr @nets accept;", false },
	{ "accept", "ip daddr != @nets drop;", false },
	{ "accept", "ip daddr 203.0.112.0-203.0.113.255 drop;", true },
	{ "accept", "ip daddr 203.0.112.0/24 drop;", false },
	{ "accept", "ip6 daddr 2001:db8::/32 drop;", true },
	{ "accept", "ip6 daddr 2001:db9::/32 drop;", false },
	/* protocols */
	{ "drop", "meta l4proto { tcp, udp } accept;", false },
	{ "drop", "meta l4proto tcp accept;", true },
	{ "drop", "tcp dport 1-65535 accept; udp dport 1-65535 accept;",
	  false },
	{ "drop", "tcp dport 1-1024 accept; udp dport { 53, 67-68 } accept;",
	  true },
	/* our mark, and others */
	{ "drop", "meta mark and 0x8000000 == 0x8000000 accept;", false },
	{ "drop", "meta mark 0x8000000 accept;", false },
	{ "drop", "meta mark and 0xff == 0x1 accept;", true },
	/* the way back by the mark */
	{ "accept", "fib saddr . iif oif missing drop;", false },
	/* what cannot be judged is not met */
	{ "accept", "limit rate over 1/second drop;", false },
	{ "drop", "limit rate 1/second accept;", true },
};

static void the_doctor_reads_rules(void **state)
{
	(void)state;
	if (access("/usr/sbin/nft", X_OK) < 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(doors); i++)
		expect_door(doors[i].policy, doors[i].rules, doors[i].is_shut);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(collisions_are_named),	  EACH(own_marks_must_not_meet),
		EACH(some_bits_are_not_compared), EACH(unwanted_entries_go),
		EACH(reverse_path_is_restored),	  EACH(the_doctor_looks),
		EACH(redirects_are_restored),	  EACH(the_doctor_finds_others),
		EACH(the_doctor_reads_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
