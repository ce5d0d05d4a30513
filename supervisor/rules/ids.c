/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/rules/rules.h"

#define NO_ID UINT16_MAX

static uint16_t find_name(const struct rules_id_map *map, const char *name)
{
	uint16_t i;

	for (i = 0; i < RULESET_GROUPS_MAX; i++)
		if (map->names[i] && strcmp(map->names[i], name) == 0)
			return i;
	return NO_ID;
}

/* A free id, else the one that has been out of use for longest. */
static uint16_t choose_id(const struct rules_id_map *map, const bool *taken)
{
	uint16_t i, best = NO_ID;

	for (i = 0; i < RULESET_GROUPS_MAX; i++) {
		if (taken[i])
			continue;
		if (!map->names[i])
			return i;
		if (best == NO_ID || map->retired[i] < map->retired[best])
			best = i;
	}
	return best;
}

static int take_id(struct rules_id_map *map, bool *taken, const char *name,
		   uint16_t *ret)
{
	uint16_t id = choose_id(map, taken);
	char *copy = strdup(name);

	if (id == NO_ID || !copy) {
		free(copy);
		return id == NO_ID ? -E2BIG : -ENOMEM;
	}
	free(map->names[id]);
	map->names[id] = copy;
	taken[id] = true;
	*ret = id;
	return 0;
}

int rules_id_assign(struct rules_id_map *map, const char *const *names,
		    size_t count, uint16_t *ret_ids)
{
	bool taken[RULESET_GROUPS_MAX] = { false };
	size_t i;
	int r;

	if (count > RULESET_GROUPS_MAX)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		ret_ids[i] = find_name(map, names[i]);
		if (ret_ids[i] != NO_ID)
			taken[ret_ids[i]] = true;
	}
	for (i = 0; i < count; i++) {
		if (ret_ids[i] != NO_ID)
			continue;
		r = take_id(map, taken, names[i], &ret_ids[i]);
		if (r < 0)
			return r;
	}
	map->epoch++;
	for (i = 0; i < RULESET_GROUPS_MAX; i++)
		if (taken[i])
			map->retired[i] = map->epoch;
	return 0;
}

void rules_id_map_clear(struct rules_id_map *map)
{
	size_t i;

	for (i = 0; i < RULESET_GROUPS_MAX; i++)
		free(map->names[i]);
	*map = (struct rules_id_map){ 0 };
}
