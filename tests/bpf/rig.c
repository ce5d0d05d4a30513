/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "common/base.h"
#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/rules/rules.h"

#define ETH_HEADER 14
#define SKIP 77

static void give_up(const char *why)
{
	fprintf(stderr, "skipped: %s: %s\n", why, strerror(errno));
	exit(SKIP);
}

enum attach_mode rig_mode(void)
{
	const char *s = getenv("DAE_ATTACH");

	if (s && strcmp(s, "tcx") == 0)
		return ATTACH_TCX;
	if (s && strcmp(s, "clsact") == 0)
		return ATTACH_CLSACT;
	return ATTACH_AUTO;
}

int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	if (geteuid() != 0)
		give_up("needs root");
	if (rig_mode() == ATTACH_TCX && !attach_has_tcx())
		give_up("the kernel has no tcx");
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		give_up("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		give_up("private mounts");
	snprintf(r->bpffs, sizeof(r->bpffs), "/tmp/dae-bpf-XXXXXX");
	if (!mkdtemp(r->bpffs) || mount("bpf", r->bpffs, "bpf", 0, NULL) < 0)
		give_up("bpffs");
	snprintf(r->pins, sizeof(r->pins), "%s/pins", r->bpffs);
	*state = r;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;

	rig_close(r);
	umount2(r->bpffs, MNT_DETACH);
	rmdir(r->bpffs);
	free(r);
	return 0;
}

void rig_open(struct rig *r, enum attach_mode attach, uint32_t flow_entries)
{
	struct datapath_options opt = {
		.pin_dir = r->pins,
		.attach = attach,
		.mark = RIG_MARK,
		.mark_mask = RIG_MARK,
		.flow_entries = flow_entries,
		.cgroup = r->cgroup,
		.so_mark = r->so_mark,
	};
	struct datapath_error err = { 0 };

	if (attach == ATTACH_AUTO)
		opt.attach = attach = rig_mode();
	rig_close(r);
	r->attach = attach;
	r->flow_entries = flow_entries;
	if (datapath_open(&r->d, &opt, &err) < 0)
		fail_msg("datapath_open: %s", err.text);
}

void rig_close(struct rig *r)
{
	datapath_close(&r->d);
	datapath_cleanup(r->pins, NULL, NULL);
	free(r->image.data);
	r->image.data = NULL;
}

void rig_load(struct rig *r, const struct config_routing *routing)
{
	static uint16_t ids[RULESET_GROUPS_MAX];
	const struct rules_options opt = { ids, RULESET_GROUPS_MAX };
	struct datapath_error err = { 0 };
	struct rules_error rerr;
	struct rules_image img;
	uint16_t i;

	for (i = 0; i < RULESET_GROUPS_MAX; i++)
		ids[i] = i;
	assert_int_equal(rules_compile(routing, &opt, &img, &rerr), 0);
	free(r->image.data);
	r->image.data = img.data;
	r->image.len = img.len;
	assert_int_equal(ruleset_open(img.data, img.len, &r->rules), 0);
	if (datapath_load(r->d, img.data, img.len, &err) < 0)
		fail_msg("datapath_load: %s", err.text);
}

void rig_group(struct rig *r, uint16_t group, const uint16_t *targets,
	       uint16_t count, enum dae_dead on_all_dead)
{
	struct datapath_list l = { .count = count,
				   .on_all_dead = on_all_dead,
				   .alive = ~0ULL };
	int c;

	memcpy(l.targets, targets, count * sizeof(*targets));
	for (c = 0; c < DAE_CLASS_COUNT; c++)
		assert_int_equal(datapath_publish_group(r->d, group,
							(enum dae_class)c, &l),
				 0);
}

void rig_target_mark(struct rig *r, uint16_t id, uint32_t mark)
{
	struct datapath_target t = { .kind = DAE_KIND_DIRECT, .mark = mark };

	assert_int_equal(datapath_set_target(r->d, id, &t), 0);
}

void rig_target_tproxy(struct rig *r, uint16_t id, const char *addr,
		       uint16_t port)
{
	struct datapath_target t = { .kind = DAE_KIND_TPROXY, .port = port };

	assert_int_equal(addr_parse(addr, &t.listener), 0);
	assert_int_equal(datapath_set_target(r->d, id, &t), 0);
}

struct rig_result rig_run(const struct rig *r, const struct frame *f)
{
	struct __sk_buff ctx = { 0 };
	uint8_t out[sizeof(f->b) + 64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b,
		    .data_size_in = (uint32_t)f->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);
	int fd = datapath_program_fd(r->d, f->has_mac);

	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	return (struct rig_result){ (int)opts.retval, ctx.mark };
}

uint64_t rig_count(const struct rig *r, enum dae_count what)
{
	static struct datapath_counters c;

	assert_int_equal(datapath_read_counters(r->d, &c), 0);
	return c.counts[what];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_lengths(struct frame *f, uint8_t family)
{
	uint8_t *ip = f->b + f->l3;

	put16(ip + (family == 4 ? 2 : 4),
	      (uint32_t)(f->len - f->l3 - (family == 4 ? 0 : 40)));
}

static void put_ip(struct frame *f, const struct ruleset_query *q)
{
	uint8_t *ip = f->b + f->l3;

	if (q->dst.family == 4) {
		ip[0] = 0x45;
		ip[1] = (uint8_t)(q->dscp << 2);
		ip[8] = 64;
		ip[9] = q->l4proto;
		memcpy(ip + 12, q->src.b + 12, 4);
		memcpy(ip + 16, q->dst.b + 12, 4);
	} else {
		ip[0] = (uint8_t)(0x60 | q->dscp >> 2);
		ip[1] = (uint8_t)(q->dscp << 6);
		ip[6] = q->l4proto;
		ip[7] = 64;
		memcpy(ip + 8, q->src.b, 16);
		memcpy(ip + 24, q->dst.b, 16);
	}
}

void frame_make(struct frame *f, const struct ruleset_query *q, uint8_t flags,
		bool has_mac)
{
	static const uint8_t us[6]; /* the address of TEST_RUN's device */
	uint8_t *l4;

	memset(f, 0, sizeof(*f));
	f->has_mac = has_mac;
	if (has_mac) {
		memcpy(f->b, us, 6);
		memcpy(f->b + 6, q->mac, 6);
		put16(f->b + 12, q->dst.family == 4 ? 0x0800 : 0x86dd);
		f->l3 = ETH_HEADER;
	}
	f->l4 = f->l3 + (q->dst.family == 4 ? 20 : 40);
	put_ip(f, q);
	l4 = f->b + f->l4;
	put16(l4, q->sport);
	put16(l4 + 2, q->dport);
	if (q->l4proto == IPPROTO_TCP) {
		l4[12] = 0x50;
		l4[13] = flags;
		f->len = f->l4 + 20;
	} else {
		put16(l4 + 4, 8 + 32);
		f->len = f->l4 + 8 + 32;
	}
	put_lengths(f, q->dst.family);
}

void query_make(struct ruleset_query *q, const char *src, const char *dst,
		uint8_t proto, uint16_t dport)
{
	*q = (struct ruleset_query){ .l4proto = proto,
				     .sport = 19233,
				     .dport = dport,
				     .mac = { 6, 7, 8, 9, 10, 11 } };
	assert_int_equal(addr_parse(src, &q->src), 0);
	assert_int_equal(addr_parse(dst, &q->dst), 0);
}

void frame_insert(struct frame *f, size_t at, const void *data, size_t len)
{
	uint8_t family;

	memmove(f->b + at + len, f->b + at, f->len - at);
	memcpy(f->b + at, data, len);
	f->len += len;
	if (at <= f->l3)
		f->l3 += len;
	if (at <= f->l4)
		f->l4 += len;
	family = f->b[f->l3] >> 4;
	put_lengths(f, family);
}
