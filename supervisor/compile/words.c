/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define TEXT_FIRST (64U << 10)
#define TEXT_MAX (1U << 30)
#define SLOTS_FIRST 64U

int words_init(struct words *w, uint64_t seed)
{
	*w = (struct words){ .seed = seed };
	w->text = malloc(TEXT_FIRST);
	if (!w->text)
		return -ENOMEM;
	w->capacity = TEXT_FIRST;
	memset(w->text, 0, 4);
	w->len = 4;
	return 0;
}

void words_clear(struct words *w)
{
	free(w->text);
	*w = (struct words){ 0 };
}

const char *words_at(const struct words *w, uint32_t text, size_t *ret_len)
{
	uint16_t len;

	memcpy(&len, w->text + text, sizeof(len));
	*ret_len = len;
	return (const char *)w->text + text + sizeof(len);
}

static int add_text(struct words *w, const char *word, size_t len,
		    uint32_t *ret)
{
	uint16_t n = (uint16_t)len;
	uint8_t *p;

	if (len > NAMESET_WORD_MAX || w->len > TEXT_MAX - 2 * NAMESET_WORD_MAX)
		return -EOVERFLOW;
	if (w->capacity - w->len < sizeof(n) + len) {
		p = realloc(w->text, w->capacity + w->capacity / 2);
		if (!p)
			return -ENOMEM;
		w->text = p;
		w->capacity += w->capacity / 2;
	}
	memcpy(w->text + w->len, &n, sizeof(n));
	memcpy(w->text + w->len + sizeof(n), word, len);
	*ret = w->len;
	w->len += (uint32_t)(sizeof(n) + len);
	return 0;
}

static uint32_t hash(const struct words *w, const char *word, size_t len)
{
	uint64_t h = w->seed;

	while (len > 0)
		h = nameset_hash_step(h, (uint8_t)word[--len]);
	return nameset_hash_end(h);
}

/* The slot of the word, or the free one for it; NULL: too many in the way. */
static struct nameset_slot *probe(struct word_table *t, const struct words *w,
				  const char *word, size_t len)
{
	uint32_t at = hash(w, word, len), i;
	struct nameset_slot *s;
	size_t have_len;
	const char *have;

	for (i = 0; i < MIN(t->slot_count, (uint32_t)NAMESET_PROBES_MAX); i++) {
		s = &t->slots[(at + i) & (t->slot_count - 1)];
		t->probe_max = MAX(t->probe_max, i + 1);
		if (!s->text)
			return s;
		have = words_at(w, s->text, &have_len);
		if (have_len == len && memcmp(have, word, len) == 0)
			return s;
	}
	return NULL;
}

/* All words into a table of @count slots. -EAGAIN: they crowd there. */
static int rehash(struct word_table *t, const struct words *w, uint32_t count)
{
	struct word_table next = { .count = t->count, .slot_count = count };
	struct nameset_slot *s;
	const char *word;
	size_t len;

	next.slots = calloc(count, sizeof(*next.slots));
	if (!next.slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->slot_count; i++) {
		if (!t->slots[i].text)
			continue;
		word = words_at(w, t->slots[i].text, &len);
		s = probe(&next, w, word, len);
		if (!s) {
			free(next.slots);
			return -EAGAIN;
		}
		*s = t->slots[i];
	}
	free(t->slots);
	*t = next;
	return 0;
}

static int grow(struct word_table *t, const struct words *w)
{
	uint32_t count = t->slot_count ? t->slot_count * 2 : SLOTS_FIRST;
	int r = -EAGAIN;

	for (; r == -EAGAIN && count <= NAMESET_SLOTS_MAX; count *= 2)
		r = rehash(t, w, count);
	return r == -EAGAIN ? -EOVERFLOW : r;
}

int word_table_slot(struct word_table *t, struct words *w, const char *word,
		    size_t len, struct nameset_slot **ret)
{
	struct nameset_slot *s;
	uint32_t text;
	int r = 0;

	/* at most 7 of 10 are taken */
	if (t->slot_count - t->slot_count / 10 * 3 <= t->count)
		r = grow(t, w);
	if (r < 0)
		return r;
	while (!(s = probe(t, w, word, len))) {
		r = grow(t, w);
		if (r < 0)
			return r;
	}
	if (!s->text) {
		r = add_text(w, word, len, &text);
		if (r < 0)
			return r;
		*s = (struct nameset_slot){ .text = text };
		t->count++;
	}
	*ret = s;
	return 0;
}

int word_table_ready(struct word_table *t, const struct words *w)
{
	return t->slot_count ? 0 : rehash(t, w, 1);
}

void word_table_clear(struct word_table *t)
{
	free(t->slots);
	*t = (struct word_table){ 0 };
}
