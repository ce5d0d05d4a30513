/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "common/base.h"
#include "supervisor/datapath/domain_write.h"
#include "supervisor/datapath/maps.h"

#define LINES4 16384U /* 131,072 addresses, 1 MiB */
#define LINES6 8192U  /* 40,960 addresses, 1 MiB */
#define SLOT_COUNT (4 * DAE_DOMAIN_CLASSES)
#define SMALL_RAM (512ULL << 20) /* machines up to here get a quarter */
#define NO_CLASS UINT32_MAX
#define MOVES 2 /* to make room: the tables fill up to nine tenths */

struct domain_shape domain_shape_of(const struct ruleset *rules)
{
	struct domain_shape s = { .lines4 = 1, .lines6 = 1 };
	struct sysinfo si;
	uint32_t part = 1;

	if (!(rules->h->used_dims >> DAE_DIM_DOMAIN & 1))
		return s;
	if (sysinfo(&si) == 0 &&
	    (uint64_t)si.totalram * si.mem_unit <= SMALL_RAM)
		part = 4;
	s.lines4 = LINES4 / part;
	s.lines6 = LINES6 / part;
	s.spare_rows = DAE_DOMAIN_CLASSES;
	return s;
}

static int copy_conds(struct domain_table *t, const struct ruleset *rules)
{
	t->conds = ruleset_domains(rules);
	t->own = calloc(t->conds.count + 1, sizeof(*t->own));
	t->slots = calloc(SLOT_COUNT, sizeof(*t->slots));
	if (!t->own || !t->slots)
		return -ENOMEM;
	memcpy(t->own, t->conds.items, t->conds.count * sizeof(*t->own));
	t->conds.items = t->own;
	return 0;
}

int domain_table_open(struct domain_table *t, const struct ruleset *rules,
		      const struct domain_shape *shape,
		      const struct domain_maps *m)
{
	void *v4, *v6, *rows;
	int r;

	*t = (struct domain_table){ .mask4 = shape->lines4 - 1,
				    .mask6 = shape->lines6 - 1,
				    .row_count = m->row_count };
	if (!shape->spare_rows)
		return 0;
	t->is_used = true;
	t->class_count = rules->h->class_count[DAE_DIM_DOMAIN];
	t->first_row = rules->h->class_base[DAE_DIM_DOMAIN];
	t->count.capacity4 = shape->lines4 * DOMAIN_WAYS4;
	t->count.capacity6 = shape->lines6 * DOMAIN_WAYS6;
	memcpy(t->seed, m->seed, sizeof(t->seed));
	t->learned = m->learned;
	r = copy_conds(t, rules);
	if (r == 0)
		r = maps_map(m->domains4, shape->lines4 * sizeof(*t->v4), &v4);
	if (r < 0)
		return r;
	t->v4 = v4;
	r = maps_map(m->domains6, shape->lines6 * sizeof(*t->v6), &v6);
	if (r < 0)
		return r;
	t->v6 = v6;
	r = maps_map(m->bitmaps, t->row_count * sizeof(*t->rows), &rows);
	if (r < 0)
		return r;
	t->rows = rows;
	return 0;
}

void domain_table_close(struct domain_table *t)
{
	if (t->v4)
		munmap(t->v4, (t->mask4 + 1) * sizeof(*t->v4));
	if (t->v6)
		munmap(t->v6, (t->mask6 + 1) * sizeof(*t->v6));
	if (t->rows)
		munmap(t->rows, t->row_count * sizeof(*t->rows));
	free(t->slots);
	free(t->own);
	*t = (struct domain_table){ 0 };
}

/* The class with this row: one there is, else a new one. Class 0 is that of no
 * name, so a free slot may say 0. NO_CLASS: all are taken. */
static uint32_t intern(struct domain_table *t, const struct dae_bitmap *row)
{
	struct dae_bitmap *rows = t->rows + t->first_row;
	uint32_t i = (uint32_t)ruleset_checksum(row, sizeof(*row));

	if (memcmp(&rows[0], row, sizeof(*row)) == 0)
		return 0;
	for (i %= SLOT_COUNT; t->slots[i]; i = (i + 1) % SLOT_COUNT)
		if (memcmp(&rows[t->slots[i]], row, sizeof(*row)) == 0)
			return t->slots[i];
	if (t->first_row + t->class_count == t->row_count)
		return NO_CLASS;
	rows[t->class_count] = *row;
	t->slots[i] = (uint16_t)t->class_count;
	/* the entry that names it is stored with release */
	return t->class_count++;
}

/* An address and where it may lie. */
struct key {
	bool is_v6;
	__u64 a[2]; /* an IPv4 address is in the first one */
	uint32_t line[2];
};

static struct key key_of(const struct domain_table *t, const struct addr *a)
{
	struct key k = { .is_v6 = a->family == 6 };
	uint32_t mask = k.is_v6 ? t->mask6 : t->mask4;
	uint32_t v4;
	uint64_t hash;

	if (k.is_v6) {
		memcpy(k.a, a->b, sizeof(k.a));
		hash = domain_hash6(k.a, t->seed);
	} else {
		memcpy(&v4, a->b + 12, sizeof(v4));
		k.a[0] = v4;
		hash = domain_hash4(v4, t->seed);
	}
	k.line[0] = domain_line(hash, mask);
	k.line[1] = domain_other_line(hash, mask);
	return k;
}

/* The way of @line that holds the address, or a free one; -1: none. */
static int find_way(const struct domain_table *t, const struct key *k,
		    uint32_t line, bool want_free)
{
	const struct domain_entry6 *e;
	uint32_t addr = want_free ? 0 : (uint32_t)k->a[0];
	int i;

	if (k->is_v6) {
		e = t->v6[line].e;
		for (i = 0; i < DOMAIN_WAYS6; i++, e++) {
			if (!(e->state & DOMAIN_VALID) != want_free)
				continue;
			if (want_free ||
			    (e->addr[0] == k->a[0] && e->addr[1] == k->a[1]))
				return i;
		}
		return -1;
	}
	for (i = 0; i < DOMAIN_WAYS4; i++)
		if ((uint32_t)t->v4[line].e[i] == addr)
			return i;
	return -1;
}

static void add(struct domain_table *t, const struct key *k, uint32_t line,
		int way, uint32_t class_id)
{
	if (k->is_v6) {
		domain_write6(&t->v6[line].e[way], k->a, class_id);
		t->count.entries6++;
	} else {
		domain_write4(&t->v4[line], way, (uint32_t)k->a[0], class_id);
		t->count.entries4++;
	}
}

/* Class 0 takes the entry out. */
static void change(struct domain_table *t, const struct key *k, uint32_t line,
		   int way, uint32_t class_id)
{
	struct domain_entry6 *e;

	if (!k->is_v6) {
		domain_write4(&t->v4[line], way,
			      class_id ? (uint32_t)k->a[0] : 0, class_id);
		t->count.entries4 -= class_id == 0;
		return;
	}
	e = &t->v6[line].e[way];
	if (class_id) {
		domain_change6(e, class_id);
		return;
	}
	domain_remove6(e);
	t->count.entries6--;
}

/* Readers are to look at the other line, too; after the entry is there. */
static void spill(struct domain_table *t, const struct key *k)
{
	uint64_t *word = k->is_v6 ? (uint64_t *)&t->v6[k->line[0]].spilled
				  : (uint64_t *)&t->v4[k->line[0]].e[0];

	__atomic_store_n(word, *word | DOMAIN_SPILLED, __ATOMIC_RELEASE);
}

/* What lies there; false: nothing. */
static bool key_at(const struct domain_table *t, bool is_v6, uint32_t line,
		   int way, struct key *ret, uint32_t *ret_class)
{
	struct addr a = { .family = is_v6 ? 6 : 4 };
	uint32_t addr;

	if (is_v6) {
		if (!(t->v6[line].e[way].state & DOMAIN_VALID))
			return false;
		memcpy(a.b, t->v6[line].e[way].addr, sizeof(a.b));
		*ret_class = t->v6[line].e[way].state & 0xffff;
	} else {
		addr = (uint32_t)t->v4[line].e[way];
		if (!addr)
			return false;
		memcpy(a.b + 12, &addr, sizeof(addr));
		*ret_class = t->v4[line].e[way] >> 32 & 0xffff;
	}
	*ret = key_of(t, &a);
	return true;
}

/*
 * A free way of @line, which may take moving an entry that is in its first line
 * to its other one: never back, so that a reader, who looks in this order, finds
 * it in either place. -1: none within @depth moves.
 */
static int make_room(struct domain_table *t, const struct key *k, uint32_t line,
		     int depth)
{
	int ways = k->is_v6 ? DOMAIN_WAYS6 : DOMAIN_WAYS4, way, to;
	uint32_t class_id;
	struct key moved;

	way = find_way(t, k, line, true);
	if (way >= 0 || depth == 0)
		return way;
	for (way = 0; way < ways; way++) {
		if (!key_at(t, k->is_v6, line, way, &moved, &class_id) ||
		    moved.line[0] != line || moved.line[1] == line)
			continue;
		to = make_room(t, k, moved.line[1], depth - 1);
		if (to < 0)
			continue;
		add(t, &moved, moved.line[1], to, class_id);
		spill(t, &moved);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		change(t, &moved, line, way, 0);
		return way;
	}
	return -1;
}

static int store(struct domain_table *t, const struct key *k, uint32_t class_id)
{
	int i, way;

	for (i = 0; i < 2; i++) {
		way = find_way(t, k, k->line[i], false);
		if (way >= 0) {
			change(t, k, k->line[i], way, class_id);
			return 0;
		}
	}
	if (!class_id)
		return 0;
	for (i = 0; i < 4; i++) { /* first without any move */
		way = make_room(t, k, k->line[i & 1], i / 2 * MOVES);
		if (way < 0)
			continue;
		add(t, k, k->line[i & 1], way, class_id);
		if (i & 1)
			spill(t, k);
		return 0;
	}
	return -ENOSPC;
}

/* What programs remember of before holds no longer, once we return. */
static int put(struct domain_table *t, const struct key *k, uint32_t class_id)
{
	int r = store(t, k, class_id);

	__atomic_fetch_add(t->learned, 1, __ATOMIC_RELEASE);
	return r;
}

static bool is_no_address(const struct addr *a)
{
	static const uint8_t zero[16];
	size_t from = a->family == 4 ? 12 : 0;

	return (a->family != 4 && a->family != 6) ||
	       memcmp(a->b + from, zero, 16 - from) == 0;
}

int domain_table_set(struct domain_table *t, const struct addr *a,
		     const struct dae_bitmap *sets)
{
	struct dae_bitmap row;
	uint32_t class_id = 0;
	struct key k;
	int r;

	if (is_no_address(a))
		return -EINVAL;
	if (!t->is_used)
		return 0;
	k = key_of(t, a);
	if (sets) {
		ruleset_domain_rules(&t->conds, sets, &row);
		class_id = intern(t, &row);
	}
	if (class_id == NO_CLASS) {
		/* better no name than that of an earlier answer */
		put(t, &k, 0);
		t->count.no_class++;
		return -EXFULL;
	}
	t->count.classes = t->class_count;
	r = put(t, &k, class_id);
	t->count.no_room += r < 0;
	return r;
}
