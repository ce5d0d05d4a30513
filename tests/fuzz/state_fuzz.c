/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state as found on disk. The checksum would keep a fuzzer out, so the
 * input is an image without it, which is then sealed; as it is, it is checked
 * too. What was accepted must be writable again, and readable.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/state_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct target_table *targets;
static struct quarantine *quarantine;
static struct group group;
static struct budget budget;
static const struct state_clock now = { 1000 * NS_PER_S, 1800000100 };

static void make_parts(struct state_parts *p)
{
	static const struct quarantine_policy policy = { 3, 1, 1 };
	static const char *const names[] = { "a", "b" };
	struct group_member members[] = { { 0, 0 }, { 1, 0 } };
	struct config_group c = { .name = (char *)"g",
				  .members = members,
				  .member_count = 2 };
	uint32_t map[2];

	if (target_table_new(&targets, 4) < 0 ||
	    quarantine_new(&quarantine, &policy) < 0)
		abort();
	for (uint32_t i = 0; i < 2; i++) {
		struct target_spec spec = { .name = names[i] };
		struct target_check check = { .cls = CHECK_TCP4, .family = 4 };
		struct target *t;

		if (target_table_add(targets, &spec, NULL, &t) < 0 ||
		    target_add_check(t, &check, NULL) < 0)
			abort();
		map[i] = t->index;
	}
	if (group_init(&group, &c, map, 0) < 0)
		abort();
	budget_init(&budget, 1000);
	*p = (struct state_parts){ targets, &group, 1, quarantine, &budget };
}

static void free_parts(void)
{
	target_table_free(&targets);
	quarantine_free(&quarantine);
	group_fini(&group);
}

static void write_again(const struct state_parts *p)
{
	auto_free uint8_t *again = NULL;
	size_t len;

	if (state_encode(p, &now, &again, &len) < 0 ||
	    state_check(again, len) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free uint8_t *image = malloc(len + STATE_SUM_SIZE);
	struct state_parts p;
	uint64_t sum;

	if (!image)
		return 0;
	state_check(data, len);
	memcpy(image, data, len);
	sum = state_sum(image, len);
	for (int i = 0; i < STATE_SUM_SIZE; i++)
		image[len + i] = (uint8_t)(sum >> (8 * i));
	make_parts(&p);
	if (state_restore(image, len + STATE_SUM_SIZE, &p, &now) == 0)
		write_again(&p);
	free_parts();
	return 0;
}
