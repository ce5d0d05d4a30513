/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections that are lists: node, subscription, upstream, fixed_domain_ttl. */
#pragma once

#include <stddef.h>

#include "supervisor/config/config_ctx.h"

/* One element of a list section: 'TAG: VALUE', TAG: 'VALUE' or 'VALUE'. */
struct entry {
	const char *tag; /* not terminated; len 0: none */
	size_t tag_len;
	const char *value;  /* terminated */
	struct ast_text at; /* of the value */
};

typedef void entry_fn(struct config_ctx *c, const struct entry *e);

/* Call @fn for each element of @section; what is none is reported. */
void entries_decode(struct config_ctx *c, const struct ast_item *section,
		    entry_fn *fn);
