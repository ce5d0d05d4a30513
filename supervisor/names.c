/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base.h"

#define NAMES_BUCKETS 256

struct name_node {
	LIST_ENTRY(name_node) by_hash;
	TAILQ_ENTRY(name_node) by_use;
	char *name;
	uint8_t family;
	uint64_t expires_ns;
	struct name_entry entry;
};

LIST_HEAD(name_bucket, name_node);
TAILQ_HEAD(name_order, name_node);

struct names {
	struct name_bucket buckets[NAMES_BUCKETS];
	struct name_order order; /* least recently used first */
	size_t count;
};

int names_new(struct names **ret)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	TAILQ_INIT(&n->order);
	*ret = n;
	return 0;
}

static void drop(struct names *n, struct name_node *e)
{
	LIST_REMOVE(e, by_hash);
	TAILQ_REMOVE(&n->order, e, by_use);
	n->count--;
	free(e->name);
	free(e);
}

void names_flush(struct names *n)
{
	struct name_node *e = TAILQ_FIRST(&n->order);

	while (e) {
		drop(n, e);
		e = TAILQ_FIRST(&n->order);
	}
}

void names_free(struct names **np)
{
	struct names *n = TAKE_PTR(*np);

	if (!n)
		return;
	names_flush(n);
	free(n);
}

static struct name_bucket *bucket_of(struct names *n, const char *name)
{
	uint32_t h = 2166136261U;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619U;
	return &n->buckets[h % NAMES_BUCKETS];
}

static struct name_node *lookup(struct names *n, const char *name,
				uint8_t family)
{
	struct name_node *e;

	LIST_FOREACH(e, bucket_of(n, name), by_hash)
		if (e->family == family && strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

const struct name_entry *names_find(struct names *n, const char *name,
				    uint8_t family, uint64_t now_ns)
{
	struct name_node *e = lookup(n, name, family);

	if (!e || e->expires_ns <= now_ns)
		return NULL;
	TAILQ_REMOVE(&n->order, e, by_use);
	TAILQ_INSERT_TAIL(&n->order, e, by_use);
	return &e->entry;
}

static struct name_node *add(struct names *n, const char *name, uint8_t family)
{
	struct name_node *e;

	if (n->count == NAMES_MAX)
		drop(n, TAILQ_FIRST(&n->order));
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->name = strdup(name);
	if (!e->name) {
		free(e);
		return NULL;
	}
	e->family = family;
	LIST_INSERT_HEAD(bucket_of(n, name), e, by_hash);
	TAILQ_INSERT_TAIL(&n->order, e, by_use);
	n->count++;
	return e;
}

static void take_addrs(struct name_entry *e, const struct result *r,
		       uint8_t family)
{
	e->count = 0;
	for (uint8_t i = 0; i < r->naddrs && i < MSG_ADDRS_MAX; i++) {
		struct addr a = { .family = family };

		memcpy(a.b, r->addrs[i], sizeof(a.b));
		if (!addr_is_special(&a))
			e->addrs[e->count++] = a;
	}
	if (r->naddrs && !e->count)
		e->outcome = OUTCOME_RESOLVE_ERROR;
}

int names_learn(struct names *n, const char *name, const struct result *r,
		uint8_t family, uint64_t now_ns)
{
	struct name_node *e = lookup(n, name, family);
	uint64_t ttl_s = NAMES_FAILED_S;

	if (!e)
		e = add(n, name, family);
	if (!e)
		return -ENOMEM;
	e->entry.outcome = r->outcome;
	e->entry.resolve_us = r->phase_us[PHASE_TOTAL];
	take_addrs(&e->entry, r, family);
	if (e->entry.outcome == OUTCOME_OK ||
	    e->entry.outcome == OUTCOME_NO_ADDRESS)
		ttl_s = MIN(MAX(r->ttl_s, (uint32_t)NAMES_TTL_MIN_S),
			    (uint32_t)NAMES_TTL_MAX_S);
	e->expires_ns = now_ns + ttl_s * NS_PER_S;
	return 0;
}
