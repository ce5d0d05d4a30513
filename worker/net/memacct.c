/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/memacct.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/memory.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/log.h"

/*
 * Blocks point to the book, not to the account: it stays as long as a block is
 * left, so that one freed after its probe ended (a leak that was none, or a
 * cache of the library) finds its way.
 */
struct memacct_book {
	struct memacct *owner; /* NULL: closed */
	size_t blocks;
};

/* In front of each block; keeps malloc's alignment. */
struct block {
	struct memacct_book *book; /* NULL: nobody's */
	size_t charged;
};
_Static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0,
	       "blocks would lose their alignment");

static struct memacct *current;

static _Noreturn void no_memory(void)
{
	log_error("memacct: out of memory");
	_exit(WORKER_EXIT_NOMEM);
}

static struct memacct_book *book_of(struct memacct *m)
{
	if (m->book)
		return m->book;
	m->book = calloc(1, sizeof(*m->book));
	if (!m->book)
		no_memory();
	m->book->owner = m;
	return m->book;
}

static void charge(struct block *b)
{
	struct memacct *m;

	b->charged = malloc_usable_size(b);
	if (!b->book || !b->book->owner)
		return;
	m = b->book->owner;
	m->live += b->charged;
	if (m->live > m->peak)
		m->peak = m->live;
	if (m->limit && m->live > m->limit)
		m->over_limit = 1;
}

static void discharge(struct block *b)
{
	if (b->book && b->book->owner)
		b->book->owner->live -= b->charged;
}

void *memacct_alloc(struct memacct *m, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX / 2)
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b)
		no_memory();
	b->book = NULL;
	if (m) {
		b->book = book_of(m);
		b->book->blocks++;
	}
	charge(b);
	return b + 1;
}

void *memacct_calloc(struct memacct *m, size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	p = memacct_alloc(m, total);
	if (p)
		memset(p, 0, total);
	return p;
}

void *memacct_realloc(struct memacct *m, void *p, size_t size)
{
	struct block *b, *moved;

	if (!p)
		return memacct_alloc(m, size);
	if (size > SIZE_MAX / 2)
		return NULL;
	b = (struct block *)p - 1;
	discharge(b);
	moved = realloc(b, sizeof(*b) + size);
	if (!moved)
		no_memory();
	charge(moved);
	return moved + 1;
}

void memacct_free(void *p)
{
	struct memacct_book *book;
	struct block *b;

	if (!p)
		return;
	b = (struct block *)p - 1;
	book = b->book;
	discharge(b);
	free(b);
	if (book && --book->blocks == 0 && !book->owner)
		free(book);
}

void *memacct_cb_malloc(size_t size, void *account)
{
	return memacct_alloc(account, size);
}

void memacct_cb_free(void *p, void *account DAE_UNUSED)
{
	memacct_free(p);
}

void *memacct_cb_calloc(size_t n, size_t size, void *account)
{
	return memacct_calloc(account, n, size);
}

void *memacct_cb_realloc(void *p, size_t size, void *account)
{
	return memacct_realloc(account, p, size);
}

size_t memacct_close(struct memacct *m)
{
	size_t leaked = m->live;

	if (m->book) {
		m->book->owner = NULL;
		if (m->book->blocks == 0)
			free(m->book);
		m->book = NULL;
	}
	if (current == m)
		current = NULL;
	m->live = 0;
	return leaked;
}

struct memacct *memacct_enter(struct memacct *m)
{
	struct memacct *former = current;

	current = m;
	return former;
}

static void *on_malloc(size_t size)
{
	return memacct_alloc(current, size);
}

static void *on_realloc(void *p, size_t size)
{
	return memacct_realloc(current, p, size);
}

int memacct_init(void)
{
	return wolfSSL_SetAllocators(on_malloc, memacct_free, on_realloc)
		       ? -EINVAL
		       : 0;
}
