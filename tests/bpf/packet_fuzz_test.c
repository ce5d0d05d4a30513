/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of every kind through the kernel program and through an oracle of its
 * own: verdict, mark and every counter must be the same, and the packet is left
 * as it was. DAE_PACKET_SEED and DAE_PACKET_SECONDS make it a long run with
 * other frames.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "common/base.h"
#include "tests/bpf/mangle.h"
#include "tests/bpf/oracle.h"

#define FEW_SETS 2
#define MARK_BEFORE 0x51U /* a mark that somebody else has set */
#define SHORT_FRAMES 20000
#define LINK_FRAMES 6000
#define PIECES_LEN 4400 /* more than a page, and its pages are used */
#define OWN4 "192.0.2.1"

struct fuzz {
	struct rig *rig;
	struct oracle_world world;
	struct rulegen gen;
	void *tables[2]; /* the flow tables, to be emptied */
	uint64_t seed, number;
	uint64_t shapes[ORACLE_SHAPES];
	uint64_t counts[DAE_COUNT_MAX];
};

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *s = getenv(variable);

	return s ? strtoull(s, NULL, 10) : otherwise;
}

static void map_tables(struct fuzz *z)
{
	const struct maps *m = datapath_maps(z->rig->d);

	assert_int_equal(maps_map(m->fd[MAP_FLOWS4], 4096, &z->tables[0]), 0);
	assert_int_equal(maps_map(m->fd[MAP_FLOWS6], 4096, &z->tables[1]), 0);
}

static void forget_flows(struct fuzz *z)
{
	memset(z->tables[0], 0, FEW_SETS * sizeof(struct dae_set4));
	memset(z->tables[1], 0, FEW_SETS * sizeof(struct dae_set6));
}

/* The rules change with every few thousand frames. */
static void use_rules(struct fuzz *z, uint64_t n)
{
	rulegen_free(&z->gen);
	rulegen_make(&z->gen, RULEGEN_MIX, n % 2 ? 12 : 300,
		     z->seed * 1000 + n);
	rig_load(z->rig, &z->gen.routing);
	z->world.rules = &z->rig->rules;
}

static void fuzz_open(struct fuzz *z, struct rig *rig)
{
	memset(z, 0, sizeof(*z));
	z->rig = rig;
	z->seed = number_of("DAE_PACKET_SEED", 1);
	assert_int_equal(system("ip addr replace " OWN4 "/32 dev lo"), 0);
	assert_int_equal(addr_parse(OWN4, &z->world.own), 0);
	rig_open(rig, ATTACH_AUTO, 1024);
	assert_int_equal(datapath_refresh_local(rig->d), 0);
	map_tables(z);
	datapath_maps(rig->d)->flow_sets = FEW_SETS;
	oracle_groups(rig);
	use_rules(z, 0);
}

static void fuzz_close(struct fuzz *z)
{
	munmap(z->tables[0], 4096);
	munmap(z->tables[1], 4096);
	rulegen_free(&z->gen);
}

/* --- what went wrong --- */

static void show(const struct fuzz *z, const struct frame *f, const char *what)
{
	size_t i;

	fprintf(stderr,
		"seed %" PRIu64 " frame %" PRIu64 " (%s, %zu bytes):", z->seed,
		z->number, f->has_mac ? "L2" : "L3", f->len);
	for (i = 0; i < f->len; i++)
		fprintf(stderr, " %02x", f->b[i]);
	fprintf(stderr, "\n");
	fail_msg("frame %" PRIu64 ": %s", z->number, what);
}

static void compare_counters(const struct fuzz *z, const struct frame *f,
			     const struct oracle_outcome *want,
			     const struct datapath_counters *old,
			     const struct datapath_counters *new)
{
	char what[80];
	int i;

	for (i = 0; i < DAE_COUNT_MAX; i++) {
		snprintf(what, sizeof(what), "counter %d: %+d, want %+d", i,
			 (int)(new->counts[i] - old->counts[i]),
			 (int)want->counts[i]);
		if (new->counts[i] - old->counts[i] != want->counts[i])
			show(z, f, what);
	}
	if (new->direct - old->direct != want->direct ||
	    new->block - old->block != want->block)
		show(z, f, "direct or block");
	for (i = 0; i < RULEGEN_GROUPS; i++)
		if (new->groups[i] - old->groups[i] != (i == want->group))
			show(z, f, "a group's counter");
	for (i = 0; i < DAE_RULE_SLOTS; i++)
		if (new->rules[i] - old->rules[i] != (i == want->rule))
			show(z, f, "a rule's counter");
}

/* --- one frame --- */

/* Some kernels refuse frames that end within the header that bytes 12 and 13
 * announce; behind a VLAN tag, and from a link, they come through. */
static bool may_be_refused(const struct frame *f)
{
	size_t least = 15;

	if (f->b[12] == 0x08 && f->b[13] == 0x00)
		least = 14 + 20;
	else if (f->b[12] == 0x86 && f->b[13] == 0xdd)
		least = 14 + 40;
	return f->len < least;
}

/* Runs @f and looks whether it is left alone. false: it was refused. */
static bool run(const struct fuzz *z, const struct frame *f,
		struct rig_result *ret)
{
	static uint8_t out[sizeof(f->b)];
	struct __sk_buff ctx = { .mark = MARK_BEFORE };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b,
		    .data_size_in = (uint32_t)f->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);

	if (bpf_prog_test_run_opts(datapath_program_fd(z->rig->d, f->has_mac),
				   &opts) < 0) {
		if (!may_be_refused(f))
			show(z, f, strerror(errno));
		return false;
	}
	if (opts.data_size_out != f->len || memcmp(out, f->b, f->len) != 0)
		show(z, f, "the packet was changed");
	*ret = (struct rig_result){ (int)opts.retval, ctx.mark };
	return true;
}

/* A mark of 0 in @want: nobody touches the mark. */
static void compare_verdict(const struct fuzz *z, const struct frame *f,
			    const struct rig_result *want,
			    const struct rig_result *got, const char *when)
{
	char what[120];

	snprintf(what, sizeof(what), "%s: verdict %d mark %#x, want %d %#x",
		 when, got->verdict, got->mark, want->verdict, want->mark);
	if (got->verdict != want->verdict ||
	    (want->verdict == RIG_PASS &&
	     got->mark != (want->mark ? want->mark : MARK_BEFORE)))
		show(z, f, what);
}

/* Once with an empty table, once with what that has left in it; then a later
 * fragment, which goes the way of the first. */
static void try(struct fuzz *z, const struct frame *f)
{
	static struct datapath_counters old, new;
	struct oracle_outcome want;
	struct oracle_facts facts, then;
	struct frame later = *f;
	struct rig_result got;
	int i;

	z->number++;
	forget_flows(z);
	oracle_read(&z->world, f->b, f->len, f->has_mac, &facts);
	oracle_decide(&z->world, &facts, &want);
	datapath_read_counters(z->rig->d, &old);
	if (!run(z, f, &got))
		return;
	datapath_read_counters(z->rig->d, &new);
	compare_verdict(z, f, &want.r, &got, "new");
	compare_counters(z, f, &want, &old, &new);
	z->shapes[facts.shape]++;
	for (i = 0; i < DAE_COUNT_MAX; i++)
		z->counts[i] += want.counts[i];
	assert_true(run(z, f, &got));
	compare_verdict(z, f, &want.r, &got, "again");
	if ((facts.shape == ORACLE_FIRST ||
	     facts.shape == ORACLE_FIRST_OTHER) &&
	    mangle_later(&later)) {
		assert_true(run(z, &later, &got));
		oracle_read(&z->world, later.b, later.len, later.has_mac,
			    &then);
		/* known by the innermost header, which later ones lack */
		if (facts.fragment_headers > 1)
			want.r.verdict = RIG_DROP;
		if (then.shape == ORACLE_LATER)
			compare_verdict(z, &later, &want.r, &got, "later");
	}
}

/* --- links --- */

/*
 * What test runs cannot do: packets that lie in pages behind a linear part of
 * any size, those that end within the IP header, and links without MAC
 * addresses as drivers see them. The verdict is told by the counters.
 */
struct link {
	int fd;
	uint32_t ifindex;
	bool is_tun;
};

static void link_make(struct fuzz *z, struct link *l)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = { .ifr_name = "tun0",
			     .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct datapath_error err = { 0 };

	if (l->is_tun) {
		l->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		assert_true(l->fd >= 0);
		assert_int_equal(ioctl(l->fd, TUNSETIFF, &ifr), 0);
		assert_int_equal(system("sysctl -qw "
					"net.ipv6.conf.tun0.disable_ipv6=1 && "
					"ip link set tun0 up"),
				 0);
	} else {
		memcpy(z->world.mac, mac, sizeof(mac));
		assert_int_equal(
			system("ip link add lan0 mtu 9000 address "
			       "02:00:00:00:00:01 type veth peer far0 && "
			       "ip link set far0 mtu 9000 && sysctl -qw "
			       "net.ipv6.conf.lan0.disable_ipv6=1 "
			       "net.ipv6.conf.far0.disable_ipv6=1 && "
			       "ip link set lan0 up && ip link set far0 up"),
			0);
		l->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		at.sll_ifindex = (int)if_nametoindex("far0");
		assert_int_equal(setsockopt(l->fd, SOL_PACKET, PACKET_VNET_HDR,
					    &(int){ 1 }, sizeof(int)),
				 0);
		assert_int_equal(
			bind(l->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	}
	l->ifindex = if_nametoindex(l->is_tun ? "tun0" : "lan0");
	if (datapath_attach(z->rig->d, &l->ifindex, 1, &err) < 0)
		fail_msg("attach: %s", err.text);
}

/* @linear: how much of it, at least, is not in pages; that takes a page. */
static void link_send(const struct link *l, const void *data, size_t len,
		      uint32_t linear)
{
	static uint8_t big[PIECES_LEN];
	struct virtio_net_hdr h = { .hdr_len = (uint16_t)linear };
	size_t all = linear ? sizeof(big) : len;
	struct iovec iov[2] = { { &h, sizeof(h) }, { big, all } };

	memset(big, 0, sizeof(big));
	memcpy(big, data, len);
	assert_int_equal(writev(l->fd, iov + l->is_tun, l->is_tun ? 1 : 2),
			 all + (l->is_tun ? 0 : sizeof(h)));
}

/* Another packet behind it, which is always counted: then it is through. */
static void link_settle(const struct fuzz *z, const struct link *l,
			const struct oracle_outcome *want,
			const struct datapath_counters *old,
			struct datapath_counters *new)
{
	static const uint8_t ping[34] = { [0] = 0x45, [3] = 20, [8] = 1, 1 };
	static const uint8_t arp[34] = { [12] = 0x88, 0xb5 };
	uint64_t due = old->counts[DAE_COUNT_PASS_OTHER] +
		       want->counts[DAE_COUNT_PASS_OTHER];
	int i;

	link_send(l, l->is_tun ? ping : arp, sizeof(ping), 0);
	for (i = 0; i < 2000; i++) {
		datapath_read_counters(z->rig->d, new);
		if (new->counts[DAE_COUNT_PASS_OTHER] >= due)
			return;
		usleep(1000);
	}
}

/* What the program gets to see: the kernel takes the outer tag off before. */
static bool see(const struct frame *f, uint8_t *ret, size_t *ret_len)
{
	bool has_tag = f->has_mac && ((f->b[12] == 0x81 && f->b[13] == 0) ||
				      (f->b[12] == 0x88 && f->b[13] == 0xa8));

	memset(ret, 0, PIECES_LEN);
	memcpy(ret, f->b, f->len);
	*ret_len = f->len;
	if (!has_tag)
		return true;
	if (f->len < 20) /* thrown away */
		return false;
	memmove(ret + 12, f->b + 16, f->len - 16);
	memset(ret + f->len - 4, 0, 4);
	*ret_len = f->len - 4;
	return true;
}

static void try_on_link(struct fuzz *z, const struct link *l, struct frame *f)
{
	static struct datapath_counters old, new;
	uint32_t linear = 0;
	struct oracle_outcome want;
	struct oracle_facts facts;
	static uint8_t seen[PIECES_LEN];
	size_t len;

	z->number++;
	if (l->is_tun && f->b[0] >> 4 != 4 && f->b[0] >> 4 != 6)
		return; /* the driver knows of nothing else */
	if (!see(f, seen, &len))
		return;
	z->world.link_type = f->b[0] >> 4 == 4 ? 0x0800 : 0x86dd;
	if (!l->is_tun && rulegen_random(&z->gen, 3)) {
		linear = 14 + rulegen_random(&z->gen, 100);
		len += PIECES_LEN - f->len;
	}
	forget_flows(z);
	oracle_read(&z->world, seen, len, f->has_mac, &facts);
	oracle_decide(&z->world, &facts, &want);
	want.counts[DAE_COUNT_PASS_OTHER]++;
	datapath_read_counters(z->rig->d, &old);
	link_send(l, f->b, f->len, linear);
	link_settle(z, l, &want, &old, &new);
	compare_counters(z, f, &want, &old, &new);
	z->shapes[facts.shape]++;
}

/* Whether some shape was seen too rarely to say anything. */
static bool lacks_shapes(const struct fuzz *z)
{
	size_t n;

	for (n = 0; n < ORACLE_SHAPES; n++)
		if (z->shapes[n] <= 5)
			return true;
	return false;
}

static void frames_on_link(void **state, bool is_tun)
{
	struct link l = { .is_tun = is_tun };
	cpu_set_t one, all;
	struct frame f;
	struct fuzz z;
	size_t n;

	/* one CPU, one queue: packets keep their order */
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	fuzz_open(&z, *state);
	link_make(&z, &l);
	/* some seeds make a shape rarely: they take longer */
	for (n = 0;
	     n < LINK_FRAMES || (lacks_shapes(&z) && n < 20 * LINK_FRAMES);
	     n++) {
		do {
			mangle_frame(&z.gen, &f);
		} while (f.has_mac == is_tun);
		try_on_link(&z, &l, &f);
	}
	assert_false(lacks_shapes(&z));
	close(l.fd);
	if (!is_tun)
		assert_int_equal(system("ip link del lan0"), 0);
	fuzz_close(&z);
	sched_setaffinity(0, sizeof(all), &all);
}

static void frames_in_pieces(void **state)
{
	frames_on_link(state, false);
}

static void frames_without_mac(void **state)
{
	frames_on_link(state, true);
}

/* --- tests --- */

static void cut_at_every_byte(void **state)
{
	struct frame f;
	struct fuzz z;
	size_t full, i;

	fuzz_open(&z, *state);
	for (i = 0; i < 60; i++) {
		mangle_sound(&z.gen, &f);
		if (f.has_mac)
			frame_insert(&f, 12, "\x81\0\0\5", 4);
		full = f.len;
		for (f.len = 14; f.len < full; f.len++)
			try(&z, &f);
	}
	assert_true(z.shapes[ORACLE_CUT] > 1000 && z.shapes[ORACLE_FLOW] > 100);
	fuzz_close(&z);
}

static void frames_of_every_kind(void **state)
{
	uint64_t seconds = number_of("DAE_PACKET_SECONDS", 0), n;
	time_t end = time(NULL) + (time_t)seconds;
	struct frame f;
	struct fuzz z;
	size_t i;

	fuzz_open(&z, *state);
	for (n = 0; seconds ? time(NULL) < end : n < SHORT_FRAMES; n++) {
		if (n % 5000 == 0)
			use_rules(&z, n / 5000);
		mangle_frame(&z.gen, &f);
		try(&z, &f);
	}
	print_message("%" PRIu64 " frames\n", z.number);
	/* it has seen all there is, and each event that frames can cause */
	for (i = 0; i < ORACLE_SHAPES; i++)
		assert_true(z.shapes[i] > 10);
	/* those from HOST_BOUND on come of sockets and of races */
	for (i = 0; i < DAE_COUNT_HOST_BOUND; i++)
		if (i != DAE_COUNT_FLOW_MOVED && i != DAE_COUNT_ASSIGN_FAILED &&
		    i != DAE_COUNT_SUPERVISOR_LOST &&
		    i != DAE_COUNT_DECIDED_ANEW && /* asked for, by reloads */
		    i != DAE_COUNT_INSERT_LOST)
			assert_true(z.counts[i] > 10);
	fuzz_close(&z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(frames_of_every_kind),
		cmocka_unit_test(frames_in_pieces),
		cmocka_unit_test(frames_without_mac),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
