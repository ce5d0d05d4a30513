/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define TTL_MIN_S 30U
#define TTL_MAX_S 86400U

struct target_table {
	struct target **items; /* by index; NULL: a hole */
	size_t max;
	uint32_t limit; /* above the highest index in use */
	uint32_t count;
	uint32_t hint;	   /* no free index below it was wanted */
	uint32_t *buckets; /* identity to index + 1, open addressing */
	size_t bucket_mask;
};

static const char *const kind_names[] = {
	[TARGET_NODE] = "node",
	[TARGET_DIRECT] = "direct",
	[TARGET_UPSTREAM] = "upstream",
	[TARGET_MONITOR] = "monitor",
};
static_assert(ARRAY_LEN(kind_names) == TARGET_KIND_COUNT, "name the kind");

const char *target_kind_name(unsigned int kind)
{
	return kind < TARGET_KIND_COUNT ? kind_names[kind] : "?";
}

int target_table_new(struct target_table **ret, size_t max)
{
	auto_target_table struct target_table *t = NULL;
	size_t buckets = 16;

	if (max == 0 || max > UINT32_MAX / TARGET_CHECKS / 2)
		return -EINVAL;
	while (buckets < max * 2)
		buckets *= 2;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->max = max;
	t->items = calloc(max, sizeof(struct target *));
	t->buckets = calloc(buckets, sizeof(uint32_t));
	t->bucket_mask = buckets - 1;
	if (!t->items || !t->buckets)
		return -ENOMEM;
	*ret = TAKE_PTR(t);
	return 0;
}

void target_table_free(struct target_table **t)
{
	if (!*t)
		return;
	for (uint32_t i = 0; (*t)->items && i < (*t)->limit; i++)
		free((*t)->items[i]);
	free((*t)->items);
	free((*t)->buckets);
	free(*t);
	*t = NULL;
}

uint64_t target_identity(const struct target_spec *spec)
{
	uint64_t h = hash_bytes(0, spec->name, strlen(spec->name));

	return hash_pair(hash_pair(h, spec->identity),
			 (uint64_t)spec->kind + 1);
}

struct target *target_table_get(const struct target_table *t, uint32_t index)
{
	return index < t->limit ? t->items[index] : NULL;
}

struct target *target_table_find(const struct target_table *t,
				 uint64_t identity)
{
	size_t b = hash_mix(identity) & t->bucket_mask;

	for (; t->buckets[b]; b = (b + 1) & t->bucket_mask) {
		struct target *target = t->items[t->buckets[b] - 1];

		if (target->identity == identity)
			return target;
	}
	return NULL;
}

struct target *target_table_find_name(const struct target_table *t,
				      enum target_kind kind, const char *name)
{
	for (uint32_t i = 0; i < t->limit; i++) {
		struct target *target = t->items[i];

		if (target && strcmp(target->name, name) == 0 &&
		    (kind == TARGET_KIND_COUNT || kind == target->kind))
			return target;
	}
	return NULL;
}

uint32_t target_table_limit(const struct target_table *t)
{
	return t->limit;
}

uint32_t target_table_count(const struct target_table *t)
{
	return t->count;
}

static void insert(struct target_table *t, struct target *target)
{
	size_t b = hash_mix(target->identity) & t->bucket_mask;

	while (t->buckets[b])
		b = (b + 1) & t->bucket_mask;
	t->buckets[b] = target->index + 1;
	t->items[target->index] = target;
	t->limit = MAX(t->limit, target->index + 1);
	t->count++;
}

/* An index that neither a target of @t nor one of @old has; else any free. */
static int free_index(struct target_table *t, const struct target_table *old,
		      uint32_t *ret)
{
	uint32_t any = UINT32_MAX;

	for (uint32_t i = t->hint; i < t->max; i++) {
		if (t->items[i])
			continue;
		if (!old || !target_table_get(old, i)) {
			*ret = i;
			t->hint = i + 1;
			return 0;
		}
	}
	for (uint32_t i = 0; i < t->max && any == UINT32_MAX; i++)
		any = t->items[i] ? any : i;
	*ret = any;
	return any == UINT32_MAX ? -ENOSPC : 0;
}

static void copy_name(struct target *t, const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(t->name)) {
		len = sizeof(t->name) - 1;
		/* never end within a character */
		while (len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(t->name, name, len);
	t->name[len] = '\0';
}

static void inherit(struct target *t, const struct target *old)
{
	t->admin = old->admin;
	t->admin_until_ns = old->admin_until_ns;
	t->is_quarantined = old->is_quarantined;
	memcpy(t->assumed, old->assumed, sizeof(t->assumed));
	t->state = old->state;
	t->state_since_ns = old->state_since_ns;
	t->bytes_today = old->bytes_today;
	t->bytes_total = old->bytes_total;
	t->leaked_bytes = old->leaked_bytes;
	t->in_flight = old->in_flight;
	memcpy(t->addrs, old->addrs, sizeof(t->addrs));
}

int target_table_add(struct target_table *t, const struct target_spec *spec,
		     const struct target_table *old, struct target **ret)
{
	uint64_t identity = target_identity(spec);
	const struct target *before = old ? target_table_find(old, identity)
					  : NULL;
	auto_free struct target *target = NULL;
	int r;

	if (target_table_find(t, identity))
		return -EEXIST;
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	if (before)
		inherit(target, before);
	if (before && before->index < t->max && !t->items[before->index]) {
		target->index = before->index;
	} else {
		r = free_index(t, old, &target->index);
		if (r < 0)
			return r;
	}
	target->kind = spec->kind;
	target->identity = identity;
	target->config_index = spec->config_index;
	target->is_unsupported = spec->is_unsupported;
	copy_name(target, spec->name);
	insert(t, target);
	*ret = TAKE_PTR(target);
	return 0;
}

static int check_index(const struct target *t, const struct target_check *spec)
{
	if (t->kind == TARGET_NODE || t->kind == TARGET_DIRECT) {
		if (spec->cls >= TARGET_CHECKS)
			return -EINVAL;
		return t->checks[spec->cls].is_used ? -EEXIST : spec->cls;
	}
	for (int k = 0; k < TARGET_CHECKS; k++) {
		if (!t->checks[k].is_used)
			return k;
	}
	return -ENOSPC;
}

int target_add_check(struct target *target, const struct target_check *spec,
		     const struct target_table *old)
{
	const struct target *before = old ? target_table_find(old,
							      target->identity)
					  : NULL;
	struct target_check *c;
	int k = check_index(target, spec);

	if (k < 0)
		return k;
	c = &target->checks[k];
	*c = *spec;
	c->is_used = true;
	memset(&c->health, 0, sizeof(c->health));
	c->key = hash_pair(target->identity,
			   (uint64_t)spec->cls << 8 | spec->family);
	for (int i = 0; before && i < TARGET_CHECKS; i++) {
		const struct target_check *b = &before->checks[i];

		if (b->is_used && b->key == c->key)
			c->health = b->health;
	}
	return k;
}

struct target_check *target_table_check(const struct target_table *t,
					uint32_t check_id)
{
	struct target *target = target_table_get(t, check_id / TARGET_CHECKS);

	if (!target || !target->checks[check_id % TARGET_CHECKS].is_used)
		return NULL;
	return &target->checks[check_id % TARGET_CHECKS];
}

unsigned int target_verdict(const struct target *t, unsigned int k)
{
	return t->checks[k].is_used ? t->checks[k].health.verdict
				    : t->assumed[k];
}

static enum node_state derive_state(const struct target *t)
{
	unsigned int up = 0, down = 0;

	if (t->is_unsupported)
		return NODE_UNSUPPORTED;
	if (t->is_quarantined)
		return NODE_QUARANTINED;
	for (unsigned int k = 0; k < TARGET_CHECKS; k++) {
		up += target_verdict(t, k) == VERDICT_UP;
		down += target_verdict(t, k) == VERDICT_DOWN;
	}
	if (t->admin == ADMIN_FORCED_UP && up == 0)
		return NODE_DEGRADED;
	if (up)
		return down ? NODE_DEGRADED : NODE_UP;
	return down ? NODE_DOWN : NODE_UNKNOWN;
}

bool target_update_state(struct target *t, uint64_t now_ns)
{
	enum node_state state;

	if (t->admin_until_ns && now_ns >= t->admin_until_ns)
		target_set_admin(t, ADMIN_AUTO, 0);
	state = derive_state(t);
	if (state == t->state)
		return false;
	t->state = state;
	t->state_since_ns = now_ns;
	return true;
}

int target_usability(const struct target *t, unsigned int k)
{
	if (t->is_unsupported || t->is_quarantined || t->admin == ADMIN_DRAIN ||
	    t->admin == ADMIN_MAINT)
		return 0;
	if (t->admin == ADMIN_FORCED_UP)
		return 2;
	switch (target_verdict(t, k)) {
	case VERDICT_UP:
		return 2;
	case VERDICT_UNKNOWN:
		return 1;
	default:
		return 0;
	}
}

bool target_is_probed(const struct target *t)
{
	return !t->is_unsupported && !t->is_quarantined &&
	       t->admin != ADMIN_MAINT;
}

void target_set_admin(struct target *t, enum node_admin admin,
		      uint64_t until_ns)
{
	t->admin = admin;
	t->admin_until_ns = admin == ADMIN_AUTO ? 0 : until_ns;
}

void target_set_addrs(struct target *t, unsigned int family,
		      const struct result *r, uint64_t now_ns)
{
	struct target_addrs *a = &t->addrs[family == 6];
	uint64_t ttl_s = MIN(r->ttl_s, TTL_MAX_S);

	a->outcome = r->outcome;
	if (r->outcome != OUTCOME_OK && r->outcome != OUTCOME_NO_ADDRESS)
		return; /* the addresses of before are better than none */
	a->count = (uint8_t)MIN(r->naddrs, MSG_ADDRS_MAX);
	a->is_literal = false;
	a->resolved_ns = now_ns;
	a->expires_ns = now_ns + MAX(ttl_s, (uint64_t)TTL_MIN_S) * NS_PER_S;
	for (unsigned int i = 0; i < a->count; i++) {
		memcpy(a->addrs[i].b, r->addrs[i], sizeof(a->addrs[i].b));
		a->addrs[i].family = family == 6 ? 6 : 4;
	}
}

bool target_has_addrs(const struct target *t, unsigned int family,
		      uint64_t now_ns)
{
	const struct target_addrs *a = &t->addrs[family == 6];

	return a->count && (a->is_literal || now_ns < a->expires_ns);
}
