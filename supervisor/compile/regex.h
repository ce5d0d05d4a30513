/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular expressions over names, in the syntax of RE2, which dae's lists are
 * written in, and bounded in time and memory whatever they are. Only processes
 * that may read bytes from outside link this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/nameset.h"

struct regex;

/*
 * 0, -EINVAL (@why says what is wrong, one line), -ENOMEM. What RE2 refuses is
 * refused here: references back, looking around, atomic groups.
 */
int regex_new(struct regex **ret, const char *pattern, size_t len, char *why,
	      size_t cap);
/* Accepts NULL, sets *r to NULL. */
void regex_free(struct regex **r);
/* 1: somewhere in the name, 0: nowhere, -E2BIG: given up, -ENOMEM. */
int regex_match(const struct regex *r, const char *name, size_t len);

/* All of an image of name sets. */
struct matcher;

/* @n must outlive it. As regex_new(). */
int matcher_new(struct matcher **ret, const struct nameset *n, char *why,
		size_t cap);
void matcher_free(struct matcher **m);
/* All sets of a folded name, regular expressions included. An expression that
 * was given up does not match, and counts in *ret_given_up. */
int matcher_match(struct matcher *m, const char *name, size_t len,
		  struct dae_bitmap *ret, size_t *ret_given_up);
