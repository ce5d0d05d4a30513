/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervisor { monitor { … } }: targets that are no nodes. */
#pragma once

#include "supervisor/config/config_ctx.h"

/* Each declaration NAME: 'URL' [annotations] becomes a monitor of the
 * configuration. */
void monitor_read_section(struct config_ctx *c, const struct ast_item *section);
