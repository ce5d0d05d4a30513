/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is freed all at once: a configuration never gives back a part. */
#pragma once

#include <stddef.h>

struct arena;

/* NULL: no memory. */
struct arena *arena_new(void);
/* Accepts NULL, sets *a to NULL. */
void arena_free(struct arena **a);
#define auto_arena __attribute__((cleanup(arena_free)))

/* @count zeroed objects of @size bytes, aligned for any type; NULL: no memory,
 * or the product is out of range. Never NULL for a count of 0. */
void *arena_alloc(struct arena *a, size_t count, size_t size);
/* A terminated copy of @len bytes. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Room for one more element at the end of the array *items of *count elements
 * of @size bytes: grows by doubling, counts it and returns it, zeroed. NULL: no
 * memory, the array is as before.
 */
void *arena_push(struct arena *a, void *items, size_t *count, size_t size);
