/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base.h"
#include "common/nameset.h"

#define PAIRS_MAX 32768 /* 6 MB at most */

struct learn {
	struct learned *table;
	struct datapath *dp;
	uint32_t set_count;
	uint32_t rules;
};

/* What it refuses, it counts. */
static void tell_kernel(void *arg, const struct addr *a,
			const struct dae_bitmap *sets)
{
	struct datapath *dp = arg;

	datapath_domain_set(dp, a, sets);
}

static void on_changed(void *arg, const struct addr *a,
		       const struct dae_bitmap *sets)
{
	struct learn *l = arg;

	if (l->dp)
		tell_kernel(l->dp, a, sets);
}

int learn_new(struct learn **ret)
{
	struct learn *l = calloc(1, sizeof(*l));
	uint64_t seed;
	int r;

	if (!l)
		return -ENOMEM;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		r = -errno;
	else
		r = learned_new(&l->table, PAIRS_MAX, seed, on_changed, l);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void learn_free(struct learn **lp)
{
	struct learn *l = TAKE_PTR(*lp);

	if (!l)
		return;
	learned_free(&l->table);
	free(l);
}

int learn_list_names(const struct learn *l, struct learn_list *ret)
{
	size_t count = learned_count(l->table).names, bytes = 1, at = 0, len;
	struct learn_list list = { .count = 0 };
	uint32_t cursor = 0;
	const char *name;

	while ((name = learned_name(l->table, &cursor)) != NULL)
		bytes += strlen(name) + 1;
	list.text = malloc(bytes);
	list.names = calloc(count + 1, sizeof(*list.names));
	if (!list.text || !list.names) {
		learn_list_clear(&list);
		return -ENOMEM;
	}
	cursor = 0;
	while ((name = learned_name(l->table, &cursor)) != NULL) {
		len = strlen(name) + 1;
		list.names[list.count++] = memcpy(list.text + at, name, len);
		at += len;
	}
	*ret = list;
	return 0;
}

void learn_list_clear(struct learn_list *list)
{
	free(list->text);
	free(list->names);
	*list = (struct learn_list){ 0 };
}

int learn_prepare(struct learn *l, const struct learn_list *list,
		  const struct dae_bitmap *sets)
{
	static const struct dae_bitmap none;
	int r;

	for (size_t i = 0; i < list->count; i++) {
		r = learned_set_next(l->table, list->names[i],
				     sets ? &sets[i] : &none);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

void learn_fill(struct learn *l, struct datapath *dp)
{
	learned_fill(l->table, true, tell_kernel, dp);
}

void learn_stay(struct learn *l)
{
	learned_drop_next(l->table);
}

static uint32_t count_rules(const struct ruleset_domains *d)
{
	uint32_t i, n = 0;

	for (i = 0; i < d->count; i++) /* a rule's are together */
		n += i == 0 || d->items[i].rule != d->items[i - 1].rule;
	return n;
}

void learn_use(struct learn *l, const struct ruleset *rules,
	       struct datapath *dp)
{
	const struct ruleset_domains d = ruleset_domains(rules);

	l->dp = dp;
	l->set_count = rules->h->domain_sets;
	l->rules = count_rules(&d);
	learned_take_next(l->table);
}

void learn_leave(struct learn *l)
{
	l->dp = NULL;
}

int learn_record(struct learn *l, const struct learned_record *r,
		 uint64_t now_ns)
{
	if (learned_check(r, l->set_count) < 0)
		return -EINVAL;
	return learned_add(l->table, r, now_ns);
}

int learn_forget(struct learn *l, const char *what)
{
	char folded[NAMESET_NAME_MAX + 1];
	struct addr a;

	if (addr_parse(what, &a) == 0)
		return (int)learned_forget_addr(l->table, &a);
	if (nameset_fold(what, strlen(what), folded) < 0)
		return -EINVAL;
	return (int)learned_forget_name(l->table, folded);
}

void learn_expire(struct learn *l, uint64_t now_ns)
{
	learned_expire(l->table, now_ns);
}

const struct learned *learn_table(const struct learn *l)
{
	return l->table;
}

void learn_read_status(const struct learn *l, struct learn_status *ret)
{
	*ret = (struct learn_status){ .rules = l->rules,
				      .table = learned_count(l->table) };
	if (l->dp)
		datapath_read_domains(l->dp, &ret->kernel);
}
