/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"
#include "supervisor/core/target.h"

#define IDS_MAGIC 0x31444944U
#define IDS_VERSION 1

int kernel_ids_target(struct kernel_ids *ids, uint64_t identity)
{
	uint32_t id = DAE_TARGETS_MAX;

	if (identity == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < DAE_TARGETS_MAX; i++)
		if (ids->targets[i] == identity)
			return (int)i;
	/* the longest unused first: flows may still name the others */
	for (uint32_t n = 0; n < DAE_TARGETS_MAX && id == DAE_TARGETS_MAX; n++)
		if (!ids->targets[(ids->next + n) % DAE_TARGETS_MAX])
			id = (ids->next + n) % DAE_TARGETS_MAX;
	if (id == DAE_TARGETS_MAX)
		return -E2BIG;
	ids->targets[id] = identity;
	ids->next = id + 1;
	return (int)id;
}

void kernel_ids_retain(struct kernel_ids *ids, const uint64_t *keep, size_t n)
{
	for (uint32_t i = 0; i < DAE_TARGETS_MAX; i++) {
		size_t k = 0;

		while (k < n && keep[k] != ids->targets[i])
			k++;
		if (k == n)
			ids->targets[i] = 0;
	}
}

static uint16_t count_groups(const struct kernel_ids *ids)
{
	uint16_t n = 0;

	for (size_t i = 0; i < RULESET_GROUPS_MAX; i++)
		n += ids->groups.names[i] != NULL;
	return n;
}

static uint16_t count_targets(const struct kernel_ids *ids)
{
	uint16_t n = 0;

	for (size_t i = 0; i < DAE_TARGETS_MAX; i++)
		n += ids->targets[i] != 0;
	return n;
}

int kernel_ids_encode(const struct kernel_ids *ids, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u32(&w, IDS_MAGIC);
	wcur_u32(&w, IDS_VERSION);
	wcur_u32(&w, ids->next);
	wcur_u32(&w, ids->groups.epoch);
	wcur_u16(&w, count_groups(ids));
	for (uint16_t i = 0; i < RULESET_GROUPS_MAX; i++) {
		if (!ids->groups.names[i])
			continue;
		wcur_u16(&w, i);
		wcur_u32(&w, ids->groups.retired[i]);
		wcur_str(&w, ids->groups.names[i], TARGET_NAME_MAX - 1);
	}
	wcur_u16(&w, count_targets(ids));
	for (uint16_t i = 0; i < DAE_TARGETS_MAX; i++) {
		if (!ids->targets[i])
			continue;
		wcur_u16(&w, i);
		wcur_u64(&w, ids->targets[i]);
	}
	if (wcur_finish(&w) < 0)
		return -EMSGSIZE;
	return (int)w.len;
}

static int decode_groups(struct kernel_ids *ids, struct rcur *c)
{
	uint16_t n = rcur_u16(c);

	for (uint16_t k = 0; k < n && !c->failed; k++) {
		char name[TARGET_NAME_MAX];
		uint16_t id = rcur_u16(c);
		uint32_t retired = rcur_u32(c);

		rcur_str(c, name, sizeof(name), sizeof(name) - 1);
		if (c->failed || id >= RULESET_GROUPS_MAX || !name[0] ||
		    ids->groups.names[id])
			return -EBADMSG;
		ids->groups.names[id] = strdup(name);
		if (!ids->groups.names[id])
			return -ENOMEM;
		ids->groups.retired[id] = retired;
	}
	return c->failed ? -EBADMSG : 0;
}

static int decode_targets(struct kernel_ids *ids, struct rcur *c)
{
	uint16_t n = rcur_u16(c);

	for (uint16_t k = 0; k < n && !c->failed; k++) {
		uint16_t id = rcur_u16(c);
		uint64_t identity = rcur_u64(c);

		if (c->failed || id >= DAE_TARGETS_MAX || !identity ||
		    ids->targets[id])
			return -EBADMSG;
		ids->targets[id] = identity;
	}
	return rcur_finish(c);
}

int kernel_ids_decode(struct kernel_ids *ret, const void *buf, size_t len)
{
	struct kernel_ids *ids = calloc(1, sizeof(*ids));
	struct rcur c;
	int r = 0;

	if (!ids)
		return -ENOMEM;
	rcur_init(&c, buf, len);
	if (rcur_u32(&c) != IDS_MAGIC || rcur_u32(&c) != IDS_VERSION)
		r = -EBADMSG;
	ids->next = rcur_u32(&c);
	ids->groups.epoch = rcur_u32(&c);
	if (ids->next > DAE_TARGETS_MAX)
		r = -EBADMSG;
	if (r == 0)
		r = decode_groups(ids, &c);
	if (r == 0)
		r = decode_targets(ids, &c);
	if (r == 0) {
		kernel_ids_clear(ret);
		*ret = *ids;
	} else {
		kernel_ids_clear(ids);
	}
	free(ids);
	return r;
}

void kernel_ids_clear(struct kernel_ids *ids)
{
	rules_id_map_clear(&ids->groups);
	memset(ids->targets, 0, sizeof(ids->targets));
	ids->next = 0;
}
