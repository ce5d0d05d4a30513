/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, routes, sysctls and the doctor, in a namespace of their own. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/doctor.h"
#include "supervisor/datapath/policy.h"
#include "tests/bpf/rig.h"
#include "tests/bpf/world.h"

static const struct policy_local local = { 0x8000000, 0x8000000, 2023, 2023 };
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
	assert_int_equal(policy_loosen_rp_filter("up0", SAVED), 0);
	world_run("%s0 && test ! -e " SAVED, is);
	world_run("sysctl -qw net.ipv4.conf.up0.rp_filter=1");
	assert_int_equal(policy_loosen_rp_filter("up0", SAVED), 0);
	world_run("%s2", is);
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	world_run("%s1 && test ! -e " SAVED, is);
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	/* somebody has changed it since: theirs stays */
	assert_int_equal(policy_loosen_rp_filter("up0", SAVED), 0);
	world_run("sysctl -qw net.ipv4.conf.up0.rp_filter=0");
	assert_int_equal(policy_restore_sysctls(SAVED), 0);
	world_run("%s0", is);
	assert_int_equal(policy_loosen_rp_filter("../all", SAVED), -EINVAL);
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

static void the_doctor_looks(void **state)
{
	static struct finding f[32];
	const struct rig *r = *state;
	size_t n;

	world_run("sysctl -qw net.ipv4.ip_forward=0");
	n = datapath_doctor(r->pins, f, ARRAY_LEN(f));
	assert_non_null(find(f, n, "tcx", ""));
	assert_int_equal(find(f, n, "bpffs", r->bpffs)->level, FINDING_OK);
	assert_non_null(find(f, n, "forwarding", "net.ipv4.ip_forward"));
	assert_non_null(find(f, n, "nftables", "no input chain"));
	n = datapath_doctor("/tmp", f, ARRAY_LEN(f));
	assert_int_equal(find(f, n, "bpffs", "/tmp")->level, FINDING_FAIL);
	if (access("/usr/sbin/nft", X_OK) < 0)
		return;
	world_run("nft add table inet wall && nft 'add chain inet wall door "
		  "{ type filter hook input priority 0; policy drop; }'");
	n = datapath_doctor(NULL, f, ARRAY_LEN(f));
	assert_int_equal(
		find(f, n, "nftables", "chain door of table wall")->level,
		FINDING_WARN);
}

/* Whether the doctor warns of chain "door" with these rules, and how. */
static void expect_door(const char *policy, const char *rules, const char *text)
{
	static struct finding f[32];
	const struct finding *got;
	size_t n;

	world_run("nft -f - <<'END'\n"
		  "table inet wall {}\ndelete table inet wall\n"
		  "table inet wall {\n chain room { accept; }\n"
		  " chain door { type filter hook input priority 0; "
		  "policy %s; %s\n }\n}\nEND",
		  policy, rules);
	n = datapath_doctor(NULL, f, ARRAY_LEN(f));
	got = find(f, n, "nftables", text);
	if (!got)
		fail_msg("%s; %s: %s", policy, rules,
			 find(f, n, "nftables", "")->text);
	assert_int_equal(got->level, strstr(text, "chain door") ? FINDING_WARN
								: FINDING_OK);
}

static void the_doctor_reads_rules(void **state)
{
	static const char *const by_rule =
		"chain door of table wall drops by a rule";

	(void)state;
	if (access("/usr/sbin/nft", X_OK) < 0)
		skip();
	expect_door("accept", "", "no input chain drops");
	expect_door("accept", "tcp dport 22 accept; drop;", by_rule);
	expect_door("accept", "tcp dport 22 accept; counter log drop;",
		    by_rule);
	expect_door("accept", "ct state new reject;", "no input chain drops");
	expect_door("accept", "tcp dport 22 drop; accept;",
		    "no input chain drops");
	expect_door("accept", "jump room; drop;", by_rule);
	expect_door("accept", "counter jump room;",
		    "chain door of table wall sends all packets");
	expect_door("accept", "tcp dport 22 jump room;",
		    "no input chain drops");
	expect_door("drop", "accept; drop;", "no input chain drops");
	expect_door("drop", "tcp dport 22 accept;",
		    "chain door of table wall drops by policy");
	expect_door("drop", "return; accept;",
		    "chain door of table wall drops by policy");
	expect_door("accept", "reject;", by_rule);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(collisions_are_named),	  EACH(own_marks_must_not_meet),
		EACH(some_bits_are_not_compared), EACH(unwanted_entries_go),
		EACH(reverse_path_is_restored),	  EACH(the_doctor_looks),
		EACH(the_doctor_reads_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
