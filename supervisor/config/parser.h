/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words to sections, declarations and rules, by dae's published grammar. */
#pragma once

#include <stddef.h>

#include "supervisor/config/ast.h"

struct config_ctx;

/*
 * Parse file @file of c->config, appending its top-level sections to the array
 * *sections of *count. Everything wrong is reported; what could not be
 * understood is left out, so that the rest can still be checked.
 */
void parser_run(struct config_ctx *c, uint16_t file, struct ast_item **sections,
		size_t *count);
