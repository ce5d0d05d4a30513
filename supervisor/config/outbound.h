/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a rule leads, and rules as people read them. */
#pragma once

#include "supervisor/config/config_ctx.h"

/* Decode "direct", "must_GROUP", "GROUP(must, mark: 1)". False: reported. */
bool outbound_read(struct config_ctx *c, const struct ast_func *from,
		   bool is_fallback, struct rule_outbound *ret);
/* The rule as written, on one line, cut after some 4,000 bytes; NULL: no
 * memory. */
char *outbound_rule_text(struct config_ctx *c, const struct ast_item *rule);
