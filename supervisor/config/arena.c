/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 16384U

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct arena_block *head;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena **a)
{
	struct arena_block *b, *next;

	if (!*a)
		return;
	for (b = (*a)->head; b; b = next) {
		next = b->next;
		free(b);
	}
	free(*a);
	*a = NULL;
}

/* A block with room for @need; a large object gets its own behind the head, so
 * that the rest of the head is still used. */
static struct arena_block *arena_add_block(struct arena *a, size_t need)
{
	size_t cap = need > ARENA_BLOCK / 2 ? need : ARENA_BLOCK;
	struct arena_block *b;

	if (need > SIZE_MAX / 2)
		return NULL;
	b = calloc(1, sizeof(*b) + cap);
	if (!b)
		return NULL;
	b->cap = cap;
	if (cap != ARENA_BLOCK && a->head) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b->next = a->head;
		a->head = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *b = a->head;
	size_t need;
	void *p;

	if (__builtin_mul_overflow(count, size, &need) ||
	    need > SIZE_MAX / 2 - align)
		return NULL;
	need = need == 0 ? align : (need + align - 1) & ~(align - 1);
	if (!b || b->cap - b->used < need) {
		b = arena_add_block(a, need);
		if (!b)
			return NULL;
	}
	p = b->bytes + b->used;
	b->used += need;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1, 1);

	if (p && len > 0)
		memcpy(p, s, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = arena_alloc(a, (size_t)n + 1, 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_push(struct arena *a, void *items, size_t *count, size_t size)
{
	unsigned char *old, *grown;
	size_t n = *count;

	memcpy(&old, items, sizeof(old));
	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
		grown = arena_alloc(a, n == 0 ? 4 : n * 2, size);
		if (!grown)
			return NULL;
		if (n > 0)
			memcpy(grown, old, n * size);
		memcpy(items, &grown, sizeof(grown));
		old = grown;
	}
	*count = n + 1;
	return old + n * size;
}
