/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function of a rule: its name and what stands in its parentheses. */
#pragma once

#include "supervisor/config/config_ctx.h"

/* Decode @from into *ret. False: reported, *ret is not to be used. */
bool rule_cond_read(struct config_ctx *c, const struct ast_func *from,
		    struct rule_cond *ret);
