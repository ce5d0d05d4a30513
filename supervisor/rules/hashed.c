/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/hashed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define TRIES 100000	  /* of multipliers, for a table of one size */
#define TRIES_TO_GROW 256 /* for one that may grow instead */
#define MULTIPLIER 0x9e3779b97f4a7c15ULL
#define PNAMES_MAX (DAE_PNAME_WAYS << (64 - DAE_PNAME_SHIFT_MIN))

/* Values whose class is not that of all others. */
struct single {
	sweep_value value;
	uint32_t class_id;
};

struct singles {
	struct single *items;
	size_t count;
	uint32_t miss; /* the class of all others */
};

static uint64_t next_multiplier(uint64_t m)
{
	return m * 6364136223846793005ULL + 2;
}

static int list_singles(const struct intervals *v, size_t max,
			struct singles *ret)
{
	sweep_value at, end;
	size_t i;

	for (i = 0; i < v->count; i++) {
		if (v->items[i].class_id == ret->miss)
			continue;
		at = v->items[i].start;
		end = i + 1 < v->count ? v->items[i + 1].start : at + 1;
		for (; at < end; at++) {
			if (ret->count == max)
				return -EOVERFLOW;
			ret->items[ret->count++] = (struct single){
				.value = at,
				.class_id = v->items[i].class_id,
			};
		}
	}
	return 0;
}

/* Sweep the dimension once without its values, for the miss's class, once with
 * them. */
static int find_singles(struct sweep *s, const struct dae_bitmap *all,
			struct classes *classes, size_t max,
			struct singles *ret)
{
	struct sweep nothing = *s;
	struct intervals v = { 0 }, miss = { 0 };
	int r;

	*ret = (struct singles){ .items = calloc(max, sizeof(*ret->items)) };
	if (!ret->items)
		return -ENOMEM;
	nothing.count = 0; /* the same conditions, no value */
	r = sweep_run(&nothing, all, classes, &miss);
	if (r == 0) {
		ret->miss = miss.items[0].class_id;
		r = sweep_run(s, all, classes, &v);
	}
	if (r == 0)
		r = list_singles(&v, max, ret);
	intervals_clear(&v);
	intervals_clear(&miss);
	if (r < 0)
		free(TAKE_PTR(ret->items));
	return r;
}

static bool place_macs(struct tables *t, const struct singles *list,
		       uint64_t multiplier)
{
	struct dae_mac *m;
	uint64_t mac;
	size_t i, way;

	memset(t->mac, 0, sizeof(t->mac));
	for (i = 0; i < list->count; i++) {
		mac = (uint64_t)list->items[i].value;
		m = &t->mac[dae_mac_slot(mac, multiplier)];
		for (way = 0; way < DAE_MAC_WAYS && m[way].used; way++)
			;
		if (way == DAE_MAC_WAYS)
			return false;
		m[way] = (struct dae_mac){
			.mac = mac,
			.class_id = list->items[i].class_id,
			.used = 1,
		};
	}
	t->mac_multiplier = multiplier;
	return true;
}

int hashed_build_macs(struct tables *t, struct sweep *s,
		      const struct dae_bitmap *all)
{
	uint64_t multiplier = MULTIPLIER;
	struct singles list;
	bool is_placed = false;
	size_t i;
	int r;

	r = find_singles(s, all, &t->classes[DAE_DIM_MAC], DAE_MAC_SLOTS,
			 &list);
	if (r < 0)
		return r;
	t->mac_miss = list.miss;
	for (i = 0; !is_placed && i < TRIES; i++) {
		is_placed = place_macs(t, &list, multiplier);
		multiplier = next_multiplier(multiplier);
	}
	free(list.items);
	return is_placed ? 0 : -EOVERFLOW;
}

sweep_value hashed_pname(const char *text)
{
	size_t len = strnlen(text, DAE_PNAME_LEN);
	uint64_t name[2] = { 0 };

	memcpy(name, text, len);
	return (sweep_value)name[1] << 64 | name[0];
}

static bool place_pnames(struct tables *t, const struct singles *list,
			 uint64_t multiplier)
{
	struct dae_pname *p;
	__u64 name[2];
	size_t i, way;

	memset(t->pnames, 0, t->pname_count * sizeof(*t->pnames));
	for (i = 0; i < list->count; i++) {
		name[0] = (__u64)list->items[i].value;
		name[1] = (__u64)(list->items[i].value >> 64);
		p = &t->pnames[dae_pname_slot(name, multiplier,
					      t->pname_shift)];
		for (way = 0; way < DAE_PNAME_WAYS && p[way].used; way++)
			;
		if (way == DAE_PNAME_WAYS)
			return false;
		p[way] = (struct dae_pname){
			.name = { name[0], name[1] },
			.class_id = list->items[i].class_id,
			.used = 1,
		};
	}
	t->pname_multiplier = multiplier;
	return true;
}

/* A table of 2^(64 - @shift) buckets. -EAGAIN: they do not fit. */
static int try_pnames(struct tables *t, const struct singles *list,
		      uint32_t shift)
{
	uint64_t multiplier = MULTIPLIER;
	size_t i;

	free(t->pnames);
	t->pname_shift = shift;
	t->pname_count = (uint32_t)DAE_PNAME_WAYS << (64 - shift);
	t->pnames = calloc(t->pname_count, sizeof(*t->pnames));
	if (!t->pnames)
		return -ENOMEM;
	for (i = 0; i < TRIES_TO_GROW; i++) {
		if (place_pnames(t, list, multiplier))
			return 0;
		multiplier = next_multiplier(multiplier);
	}
	return -EAGAIN;
}

int hashed_build_pnames(struct tables *t, struct sweep *s,
			const struct dae_bitmap *all)
{
	uint32_t shift = DAE_PNAME_SHIFT_MAX;
	struct singles list;
	int r;

	r = find_singles(s, all, &t->classes[DAE_DIM_PNAME],
			 MIN(s->count + 1, (size_t)PNAMES_MAX), &list);
	if (r < 0)
		return r;
	t->pname_miss = list.miss;
	while (list.count > (size_t)DAE_PNAME_WAYS << (64 - shift))
		shift--;
	do {
		r = try_pnames(t, &list, shift);
	} while (r == -EAGAIN && --shift >= DAE_PNAME_SHIFT_MIN);
	free(list.items);
	return r == -EAGAIN ? -EOVERFLOW : r;
}
