/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the grammar lets pass and dae refuses right after it. */
#pragma once

#include "supervisor/config/config_ctx.h"

/* Report empty lists, "f()" and "[ ]", anywhere below @section. */
void ast_check(struct config_ctx *c, const struct ast_item *section);
