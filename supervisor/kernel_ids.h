/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small numbers that groups and nodes have in kernel maps. A name or an
 * identity keeps its number over reloads and restarts, so that a flow decided
 * earlier never comes to mean something else. Saved beside the pins' life.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/dae_maps.h"
#include "supervisor/rules/rules.h"

struct kernel_ids {
	struct rules_id_map groups;
	uint64_t targets[DAE_TARGETS_MAX]; /* identity by id, 0: free */
	uint32_t next;			   /* where to look for a free id */
};

#define KERNEL_IDS_IMAGE_MAX (64U << 10)

/* The id of the target @identity, given now if it has none. -E2BIG. */
int kernel_ids_target(struct kernel_ids *ids, uint64_t identity);
/* Forget targets that are not among @keep: their numbers may be used again. */
void kernel_ids_retain(struct kernel_ids *ids, const uint64_t *keep, size_t n);
/* Into @buf (KERNEL_IDS_IMAGE_MAX). Length or -EMSGSIZE. */
int kernel_ids_encode(const struct kernel_ids *ids, void *buf, size_t cap);
/* -EBADMSG if anything in it is wrong; *ret is untouched then. */
int kernel_ids_decode(struct kernel_ids *ret, const void *buf, size_t len);
void kernel_ids_clear(struct kernel_ids *ids);
