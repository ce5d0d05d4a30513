/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One reader a section; each is called for every block of it, in order. */
#pragma once

#include "supervisor/config/config_ctx.h"

typedef void section_fn(struct config_ctx *c, const struct ast_item *section);

section_fn section_global, section_subscription, section_node, section_group,
	section_routing, section_dns, section_supervisor;

/* Before the first block: what holds unless a block says otherwise. */
void section_global_defaults(struct config *c);
void section_supervisor_defaults(struct config *c);
void section_supervisor_finish(struct config *c);
/* After the last block of all files. */
void section_global_finish(struct config_ctx *c);
/* After all of these: what depends on several sections. */
void config_checks_run(struct config_ctx *c);
