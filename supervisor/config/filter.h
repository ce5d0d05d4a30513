/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which nodes a group takes: one 'filter:' line, compiled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/config/config_ctx.h"

struct filter;

/* Compile the declaration @item; NULL with errors reported, or out of memory.
 * A pattern we cannot do is a warning and hits no node. */
struct filter *filter_new(struct config_ctx *c, const struct ast_item *item);
/* Accepts NULL. The memory itself is the scratch arena's. */
void filter_release(struct filter *f);
bool filter_hits(const struct filter *f, const struct config_node *n);
/* The annotation [add_latency: …]; 0 if there is none. */
int64_t filter_add_latency_ns(const struct filter *f);
