/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/libbpf.h>

#include "supervisor/datapath/internal.h"

#define FILTER_BYTES 4096 /* maps are mapped by pages */

struct datapath_tap {
	struct dae_trace_filter *filter; /* a mapping of our own */
	struct ring_buffer *ring;
	datapath_tap_visitor visit;
	void *ctx;
};

/* To the form of the kernel's filter: all bits of another family differ. */
static void put_prefix(const struct prefix *p, __u64 *addr, __u64 *mask)
{
	uint8_t bits[16] = { 0 };
	unsigned int len = p->len + (p->addr.family == 4 ? 96U : 0U);

	memset(addr, 0, 16);
	memset(mask, 0, 16);
	if (!p->addr.family)
		return;
	for (unsigned int i = 0; i < len; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(addr, p->addr.b, 16);
	memcpy(mask, bits, 16);
}

static void get_addr(struct addr *a, const __u64 *from, bool is_v6)
{
	a->family = is_v6 ? 6 : 4;
	memcpy(a->b, from, 16);
}

static int on_record(void *ctx, void *data, size_t len)
{
	const struct datapath_tap *t = ctx;
	const struct dae_trace_record *r = data;
	struct datapath_decision x = { .time_ns = 0 };

	if (len < sizeof(*r))
		return 0;
	x.time_ns = r->time_ns;
	get_addr(&x.src, r->src, r->is_v6);
	get_addr(&x.dst, r->dst, r->is_v6);
	x.sport = ntohs(r->sport);
	x.dport = ntohs(r->dport);
	x.rule = r->rule;
	x.l4proto = r->proto;
	x.is_host = r->is_host;
	x.kind = (enum dae_kind)(r->verdict & DAE_FLOW_KIND);
	x.has_group = r->verdict & DAE_FLOW_GROUP;
	x.group = r->verdict >> 8 & 0xff;
	x.target = r->verdict >> 16 & (DAE_TARGETS_MAX - 1);
	x.mark = r->mark;
	t->visit(t->ctx, &x);
	return 0;
}

/* Nothing is told while the filter changes. */
static void set_filter(struct dae_trace_filter *to,
		       const struct datapath_tap_filter *f)
{
	__atomic_store_n(&to->on, 0, __ATOMIC_SEQ_CST);
	put_prefix(&f->src, to->src, to->src_mask);
	put_prefix(&f->dst, to->dst, to->dst_mask);
	to->dport = htons(f->port);
	to->proto = f->l4proto;
	to->until_ns = f->until_ns;
	to->lost = 0;
	__atomic_store_n(&to->on, 1, __ATOMIC_SEQ_CST);
}

int tap_open(struct datapath_tap **ret, struct datapath *d,
	     const struct datapath_tap_filter *f, datapath_tap_visitor visit,
	     void *ctx)
{
	struct datapath_tap *t = calloc(1, sizeof(*t));
	void *mem;
	int filter_fd, ring_fd, r;

	if (!t)
		return -ENOMEM;
	t->visit = visit;
	t->ctx = ctx;
	r = datapath_tap_fds(d, &filter_fd, &ring_fd);
	if (r == 0)
		r = maps_map(filter_fd, FILTER_BYTES, &mem);
	if (r == 0) {
		t->filter = mem;
		set_filter(t->filter, f);
		t->ring = ring_buffer__new(ring_fd, on_record, t, NULL);
		r = t->ring ? 0 : -errno;
	}
	if (r < 0) {
		tap_close(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void tap_close(struct datapath_tap **tp)
{
	struct datapath_tap *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	if (t->filter) {
		__atomic_store_n(&t->filter->on, 0, __ATOMIC_SEQ_CST);
		munmap(t->filter, FILTER_BYTES);
	}
	ring_buffer__free(t->ring);
	free(t);
}

int tap_fd(const struct datapath_tap *t)
{
	return ring_buffer__epoll_fd(t->ring);
}

int tap_read(struct datapath_tap *t)
{
	return ring_buffer__consume(t->ring);
}

void tap_allow(struct datapath_tap *t, uint32_t n)
{
	__atomic_store_n(&t->filter->left, n, __ATOMIC_RELAXED);
}

uint64_t tap_lost(const struct datapath_tap *t)
{
	return __atomic_load_n(&t->filter->lost, __ATOMIC_RELAXED);
}
