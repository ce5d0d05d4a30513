/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to struct config: the entry points of the configuration library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/config/config.h"
#include "supervisor/config/config_diag.h"

#define CONFIG_FILE_MAX (4U << 20) /* bytes in one file */
#define CONFIG_FILES_MAX 256U
#define CONFIG_TOTAL_MAX (16U << 20) /* bytes in all files */

/*
 * Where files come from, so that the parser itself opens none. Both return 0 or
 * -errno, write their results on success only, and the caller frees them:
 * read_file one malloc'ed text, glob an array of malloc'ed paths in byte order
 * (a pattern without a match is 0 paths). @why (@cap bytes) may say more than
 * the errno. A path is relative to the folder of the entry file, or absolute.
 */
struct config_source {
	int (*read_file)(void *ctx, const char *path, char **ret_text,
			 size_t *ret_len, char *why, size_t cap);
	int (*glob)(void *ctx, const char *pattern, char ***ret_paths,
		    size_t *ret_count);
	void *ctx;
};

/*
 * Parse and check one text that includes nothing else (include { } is an error).
 * 0 and *ret, or -EINVAL with at least one error in @diags, or -ENOMEM. Warnings
 * are added in both cases.
 */
int config_parse(struct config **ret, const char *text, size_t len,
		 struct config_diags *diags);
/* The same for the entry file @path and all that it includes. */
int config_parse_files(struct config **ret, const char *path,
		       const struct config_source *src,
		       struct config_diags *diags);

/* One message more about a configuration that was parsed; line 0 of @pos: about
 * the entry file as a whole. Without memory there is none. */
void config_diags_add(struct config_diags *diags, const struct config *c,
		      enum diag_severity severity, const struct config_pos *pos,
		      const char *message);

/* NULL if there is none of this name. */
const struct config_group *config_find_group(const struct config *c,
					     const char *name);
const struct config_node *config_find_node(const struct config *c,
					   const char *name);
/* Does the group have a member that carries traffic in this version? */
bool config_group_can_carry(const struct config *c,
			    const struct config_group *g);
/* Can traffic leave through a node of this scheme in this version? */
bool node_scheme_can_carry(enum node_scheme s);
/* "proxy(must, mark: 0x10)": an outbound as the routing section spells it.
 * Returns @buf. */
const char *config_outbound_format(const struct config *c,
				   const struct rule_outbound *o, char *buf,
				   size_t cap);
/* "5 nodes, 2 unusable: 1 vless, 1 ss; 2 groups, 7 rules, 1 monitor".
 * Returns @buf. */
const char *config_summary(const struct config *c, char *buf, size_t cap);
