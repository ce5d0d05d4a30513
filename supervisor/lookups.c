/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/lookups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base.h"

struct lookup_node {
	LIST_ENTRY(lookup_node) entries;
	struct lookup w;
};

LIST_HEAD(lookup_list, lookup_node);

struct lookups {
	struct lookup_list list;
};

int lookups_new(struct lookups **ret)
{
	struct lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	LIST_INIT(&l->list);
	*ret = l;
	return 0;
}

static void node_drop(struct lookup_node *n)
{
	LIST_REMOVE(n, entries);
	free(n->w.host);
	free(n);
}

void lookups_free(struct lookups **lp)
{
	struct lookups *l = TAKE_PTR(*lp);

	if (!l)
		return;
	while (!LIST_EMPTY(&l->list))
		node_drop(LIST_FIRST(&l->list));
	free(l);
}

static struct lookup_node *node_find(const struct lookups *l, uint32_t job_id)
{
	struct lookup_node *n;

	LIST_FOREACH(n, &l->list, entries)
		if (n->w.job_id == job_id)
			return n;
	return NULL;
}

struct lookup *lookups_begin(struct lookups *l, uint32_t job_id,
			     const char *host, uint8_t family, uint8_t server)
{
	struct lookup_node *n = node_find(l, job_id);

	if (n && n->w.family == family && strcmp(n->w.host, host) == 0)
		return &n->w;
	if (n)
		node_drop(n);
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->w.host = strdup(host);
	if (!n->w.host) {
		free(n);
		return NULL;
	}
	n->w.job_id = job_id;
	n->w.family = family;
	n->w.server = server;
	LIST_INSERT_HEAD(&l->list, n, entries);
	return &n->w;
}

struct lookup *lookups_find(const struct lookups *l, uint32_t job_id)
{
	struct lookup_node *n = node_find(l, job_id);

	return n ? &n->w : NULL;
}

void lookups_drop(struct lookups *l, uint32_t job_id)
{
	struct lookup_node *n = node_find(l, job_id);

	if (n)
		node_drop(n);
}

void lookups_sweep(struct lookups *l, bool (*exists)(void *ctx, uint32_t id),
		   void *ctx)
{
	struct lookup_node *n = LIST_FIRST(&l->list);

	while (n) {
		struct lookup_node *next = LIST_NEXT(n, entries);

		if (!exists(ctx, n->w.job_id))
			node_drop(n);
		n = next;
	}
}

bool lookup_again(struct lookup *w, enum outcome outcome, size_t servers)
{
	switch (outcome) {
	case OUTCOME_DNS_TRUNCATED:
		if (w->is_tcp)
			return false;
		w->is_tcp = true;
		return true;
	case OUTCOME_RESOLVE_TIMEOUT:
	case OUTCOME_RESOLVE_ERROR:
	case OUTCOME_REFUSED:
	case OUTCOME_UNREACHABLE:
		w->tries++;
		if (w->tries >= servers)
			return false;
		w->server = (uint8_t)((w->server + 1) % servers);
		return true;
	default:
		return false;
	}
}
