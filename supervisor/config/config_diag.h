/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a configuration: a list of errors and warnings, each with
 * its place and the line it is on. Independent of the configuration's life.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CONFIG_DIAG_ERRORS_MAX 20 /* further ones are only counted */
#define CONFIG_DIAG_WARNINGS_MAX 100

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct config_diag {
	enum diag_severity severity;
	uint16_t file;	       /* in the order of reading; 0: the entry file */
	char *path;	       /* as shown; never NULL */
	uint32_t line, column; /* from 1, column in characters; 0: whole file */
	char *message;	       /* one line, safe to show */
	char *hint;	       /* what to do about it; NULL: nothing to say */
	char *source;	    /* the line, clipped, credentials masked, or NULL */
	uint32_t caret;	    /* cells before the caret, in source */
	uint32_t caret_len; /* cells underlined, at least 1 */
};

/* Start with { 0 }; may be filled by several calls. */
struct config_diags {
	struct config_diag *items;
	size_t count;
	size_t error_count; /* those beyond the limit included */
	size_t warning_count;
	size_t dropped; /* found, counted, not in items */
};

/*
 * "PATH:LINE:COL: error: MESSAGE", the line with a caret below it, and the hint;
 * lines end in '\n'. Always terminated, cut at @cap. Returns the length.
 */
size_t config_diag_format(const struct config_diag *d, char *buf, size_t cap);
/* By file, line and column, from item @first on; the whole file comes last. */
void config_diags_sort(struct config_diags *d, size_t first);
/* Frees the items, leaves an empty list. */
void config_diags_clear(struct config_diags *d);
#define auto_diags __attribute__((cleanup(config_diags_clear)))
