/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/schedule_heap.h"

static bool is_before(const struct schedule *s, uint32_t a, uint32_t b)
{
	return s->entries[a].due_ns < s->entries[b].due_ns;
}

static void place(struct schedule *s, struct schedule_heap *h, uint32_t pos,
		  uint32_t check)
{
	h->ids[pos] = check;
	s->entries[check].pos = pos;
}

static void sift_up(struct schedule *s, struct schedule_heap *h, uint32_t pos)
{
	uint32_t check = h->ids[pos];

	while (pos > 0 && is_before(s, check, h->ids[(pos - 1) / 2])) {
		place(s, h, pos, h->ids[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	place(s, h, pos, check);
}

static void sift_down(struct schedule *s, struct schedule_heap *h, uint32_t pos)
{
	uint32_t check = h->ids[pos];

	for (;;) {
		uint32_t child = 2 * pos + 1;

		if (child >= h->count)
			break;
		if (child + 1 < h->count &&
		    is_before(s, h->ids[child + 1], h->ids[child]))
			child++;
		if (!is_before(s, h->ids[child], check))
			break;
		place(s, h, pos, h->ids[child]);
		pos = child;
	}
	place(s, h, pos, check);
}

void schedule_heap_put(struct schedule *s, enum schedule_heap_id id,
		       uint32_t check)
{
	struct schedule_heap *h;

	if (id >= HEAP_COUNT)
		id = HEAP_NORMAL;
	h = &s->heaps[id];
	s->entries[check].heap = (uint8_t)id;
	place(s, h, h->count, check);
	h->count++;
	sift_up(s, h, h->count - 1);
}

void schedule_heap_take(struct schedule *s, uint32_t check)
{
	struct schedule_entry *e = &s->entries[check];
	struct schedule_heap *h;
	uint32_t pos = e->pos, moved;

	if (e->heap >= HEAP_COUNT)
		return;
	h = &s->heaps[e->heap];
	e->heap = HEAP_NONE;
	h->count--;
	if (pos == h->count)
		return;
	moved = h->ids[h->count];
	place(s, h, pos, moved);
	sift_up(s, h, pos);
	sift_down(s, h, s->entries[moved].pos);
}

bool schedule_heap_due(const struct schedule *s, enum schedule_heap_id id,
		       uint64_t now_ns, uint32_t *ret)
{
	if (schedule_heap_min(s, id) > now_ns)
		return false;
	*ret = s->heaps[id].ids[0];
	return true;
}

uint64_t schedule_heap_min(const struct schedule *s, enum schedule_heap_id id)
{
	const struct schedule_heap *h = &s->heaps[id];

	return h->count ? s->entries[h->ids[0]].due_ns : UINT64_MAX;
}
