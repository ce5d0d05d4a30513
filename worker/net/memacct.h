/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocations of ngtcp2, nghttp3, nghttp2 and wolfSSL, counted to the probe they
 * are made for: ngtcp2, nghttp3 and nghttp2 carry the account with them,
 * wolfSSL's global hooks use the current one. A failed allocation ends the
 * worker with WORKER_EXIT_NOMEM: it is ours, no target is judged by it. An
 * account's limit refuses nothing, since libraries bear a refusal badly (some
 * loop for ever); it is noted, and whoever runs the probe ends it after the step
 * that went over.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct memacct_book;

struct memacct {
	size_t live, peak; /* bytes, allocator's usable size */
	size_t limit;	   /* 0: none */
	int over_limit;	   /* more was live once */
	struct memacct_book
		*book; /* what its blocks point to; zeroed at first */
};

/* Install wolfSSL's hooks; once, before anything of it is used. */
int memacct_init(void);
/* Who pays for wolfSSL's allocations from here on; NULL: nobody. Returns the
 * former one. */
struct memacct *memacct_enter(struct memacct *m);
/* @m NULL: nobody pays. NULL for a size that cannot be. */
void *memacct_alloc(struct memacct *m, size_t size);
void *memacct_calloc(struct memacct *m, size_t n, size_t size);
/* The block moves to no other account; @m is whose a new one (@p NULL) is. */
void *memacct_realloc(struct memacct *m, void *p, size_t size);
/* Bytes are given back to the account the block was made for. */
void memacct_free(void *p);
/*
 * The same as nghttp2_mem, nghttp3_mem and ngtcp2_mem want them, in their order,
 * behind the account as the user's data.
 */
#define MEMACCT_CALLBACKS                                                      \
	memacct_cb_malloc, memacct_cb_free, memacct_cb_calloc,                 \
		memacct_cb_realloc
void *memacct_cb_malloc(size_t size, void *account);
void memacct_cb_free(void *p, void *account);
void *memacct_cb_calloc(size_t n, size_t size, void *account);
void *memacct_cb_realloc(void *p, size_t size, void *account);
/* Before an account's owner goes: bytes still live are a leak; they are from
 * then on nobody's. Returns them. */
size_t memacct_close(struct memacct *m);
