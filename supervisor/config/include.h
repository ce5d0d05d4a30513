/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry file and all that it includes, as one list of sections. */
#pragma once

#include "supervisor/config/config_ctx.h"
#include "supervisor/config/config_parse.h"

/*
 * Read and parse @path and, depth first, what its include { } sections name.
 * *sections of *count are the sections of all files but include, a file's own
 * before those of the files it includes. @src NULL: the text of the entry file
 * is c->config->files[0] already, and nothing can be included.
 */
void include_run(struct config_ctx *c, const char *path,
		 const struct config_source *src, struct ast_item **sections,
		 size_t *count);
