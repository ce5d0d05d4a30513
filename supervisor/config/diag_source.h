/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line of a message, fit to be shown, with the place of its caret. */
#pragma once

#include "supervisor/config/ast.h"
#include "supervisor/config/config.h"
#include "supervisor/config/config_diag.h"

#define DIAG_SOURCE_CELLS 100U /* longer lines are clipped around the caret */

/*
 * Fill source, caret and caret_len of *d. Tabs are expanded, wide characters
 * take two cells, credentials in links are replaced by '*'. Without memory the
 * message goes without its line.
 */
void diag_source_fill(struct config_diag *d, const struct config_file *f,
		      const struct ast_text *at);
