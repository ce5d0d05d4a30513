/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/flowtable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/flow_entry.h"
#include "common/base.h"
#include "common/clock.h"
#include "supervisor/datapath/internal.h"
#include "supervisor/datapath/jiffies.h"
#include "supervisor/datapath/maps.h"

#define WINDOW_BYTES (256U << 10) /* of the table, mapped at a time */
#define CLOCK_EVERY 256		  /* ways between two looks at the clock */
#define KEY_FRAGMENT 0x100	  /* beside the protocol: see flow.bpf.h */

/* One table: two ways a set, so a way's number says its set. */
struct table {
	enum shared_map map;
	uint32_t way_bytes;
	int words;
	uint64_t ways;
};

struct walk {
	const struct table *t;
	uint32_t jiffies;
	uint32_t hz;
	uint64_t until_ns;
	datapath_flow_visitor visit;
	void *ctx;
	bool is_ended; /* by the visitor or the clock */
};

/* A reader's copy of an entry, or false if it is free or being written. */
static bool read_way(const struct flow_way *way, int words,
		     struct flow_key *ret_key, struct flow_hit *ret)
{
	int i;

	for (i = 0; i < words; i++)
		ret_key->w[i] = FLOW_READ(way->key[i]);
	/* the protocol's own reader: it fails if the key is not the entry's */
	return flow_read_any(way, ret_key, words, ret,
			     DAE_FLOW_KIND | DAE_FLOW_AGAIN);
}

static void set_v4(struct addr *a, uint32_t net)
{
	*a = (struct addr){ .family = 4, .b = { [10] = 0xff, [11] = 0xff } };
	memcpy(a->b + 12, &net, 4);
}

static void set_v6(struct addr *a, const __u64 *net)
{
	a->family = 6;
	memcpy(a->b, net, 16);
}

static void fill_flow(const struct walk *w, const struct flow_key *k,
		      const struct flow_hit *hit, struct datapath_flow *f)
{
	uint64_t last = k->w[w->t->words - 1];
	int32_t idle;

	if (w->t->map == MAP_FLOWS4) {
		set_v4(&f->src, (uint32_t)k->w[0]);
		set_v4(&f->dst, (uint32_t)(k->w[0] >> 32));
	} else {
		set_v6(&f->src, &k->w[0]);
		set_v6(&f->dst, &k->w[2]);
	}
	f->sport = ntohs((uint16_t)last);
	f->dport = ntohs((uint16_t)(last >> 16));
	f->l4proto = (uint8_t)(last >> 32);
	f->is_undecided = hit->verdict & DAE_FLOW_AGAIN;
	f->kind = (enum dae_kind)(hit->verdict >>
					  (f->is_undecided ? DAE_FLOW_WAS : 0) &
				  DAE_FLOW_KIND);
	f->has_group = hit->verdict & DAE_FLOW_GROUP;
	f->group = hit->verdict >> 8 & 0xff;
	f->target = hit->verdict >> 16 & (DAE_TARGETS_MAX - 1);
	f->mark = hit->mark;
	/* it may have been seen after we looked at the clock */
	idle = (int32_t)(w->jiffies - hit->seen);
	f->idle_ms = (uint64_t)MAX(idle, 0) * 1000 / w->hz;
}

/* Another verdict for the key that is there, with the next sequence number;
 * not if a program has changed it meanwhile. */
static void change(struct flow_way *way, uint64_t old, uint64_t new)
{
	uint64_t seq = ((old >> DAE_FLOW_SEQUENCE) + 1) << DAE_FLOW_SEQUENCE;

	__sync_val_compare_and_swap(&way->verdict, old, seq | new);
}

static uint64_t again(uint64_t verdict)
{
	uint64_t kind = verdict & DAE_FLOW_KIND;

	return (verdict & ((1ULL << DAE_FLOW_WAS) - 1) & ~DAE_FLOW_KIND) |
	       DAE_FLOW_AGAIN | kind << DAE_FLOW_WAS;
}

static void visit_way(struct walk *w, struct flow_way *way, uint64_t position)
{
	struct datapath_flow f = { .position = position };
	struct flow_key key;
	struct flow_hit hit;

	if (!read_way(way, w->t->words, &key, &hit) ||
	    key.w[w->t->words - 1] >> 32 & KEY_FRAGMENT)
		return;
	fill_flow(w, &key, &hit, &f);
	switch (w->visit(w->ctx, &f)) {
	case FLOW_KEEP:
		break;
	case FLOW_FORGET:
		change(way, hit.verdict, 0);
		break;
	case FLOW_AGAIN:
		if (!f.is_undecided)
			change(way, hit.verdict, again(hit.verdict));
		break;
	case FLOW_STOP:
		w->is_ended = true;
		break;
	}
}

/* The ways of the window that holds *cursor, from there on. */
static int walk_window(struct walk *w, int fd, uint64_t base, uint64_t *cursor)
{
	uint64_t per = WINDOW_BYTES / w->t->way_bytes, at = *cursor - base;
	uint64_t first = at - at % per, end = MIN(first + per, w->t->ways);
	size_t bytes = (size_t)(end - first) * w->t->way_bytes;
	uint8_t *mem;

	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   (off_t)(first * w->t->way_bytes));
	if (mem == MAP_FAILED)
		return -errno;
	for (; at < end && !w->is_ended; at++) {
		visit_way(w, (void *)(mem + (at - first) * w->t->way_bytes),
			  base + at + 1);
		if (at % CLOCK_EVERY == CLOCK_EVERY - 1 &&
		    clock_mono_ns() >= w->until_ns)
			w->is_ended = true;
	}
	munmap(mem, bytes);
	*cursor = base + at;
	return 0;
}

int datapath_walk_flows(struct datapath *d, uint64_t *cursor,
			uint64_t budget_ns, datapath_flow_visitor visit,
			void *ctx)
{
	const struct maps *m = datapath_maps(d);
	uint64_t ways = m->flow_sets * 2ULL;
	const struct table tables[] = {
		{ MAP_FLOWS4, sizeof(struct dae_flow4), FLOW_WORDS4, ways },
		{ MAP_FLOWS6, sizeof(struct dae_flow6), FLOW_WORDS6, ways },
	};
	struct walk w = { .until_ns = clock_mono_ns() + budget_ns,
			  .visit = visit,
			  .ctx = ctx };
	bool is_v6;
	int r;

	r = jiffies_now(&w.jiffies, &w.hz);
	while (r == 0 && !w.is_ended && *cursor < 2 * ways) {
		is_v6 = *cursor >= ways;
		w.t = &tables[is_v6];
		r = walk_window(&w, m->fd[w.t->map], is_v6 ? ways : 0, cursor);
	}
	return r < 0 ? r : *cursor >= 2 * ways;
}
