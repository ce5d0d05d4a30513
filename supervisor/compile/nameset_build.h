/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns of names, set by set, to the image of common/nameset.h. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/nameset.h"

enum nameset_kind {
	NAMESET_FULL,
	NAMESET_SUFFIX, /* with a dot in front: the names below it only */
	NAMESET_KEYWORD,
	NAMESET_REGEX, /* not looked at */
	NAMESET_KIND_COUNT
};

struct nameset_builder;

/* @seed decides where names are in the hash; nobody outside should know it. */
int nameset_builder_new(struct nameset_builder **ret, uint64_t seed);
/* Accepts NULL, sets *b to NULL. */
void nameset_builder_free(struct nameset_builder **b);
#define auto_nameset_builder __attribute__((cleanup(nameset_builder_free)))

/*
 * @set is below NAMESET_SETS_MAX. Names and keywords are put into lower case.
 * 0; 1: nothing that a name could be like, left out; -EOVERFLOW: more than the
 * format holds; -ENOMEM.
 */
int nameset_add(struct nameset_builder *b, unsigned int set,
		enum nameset_kind kind, const char *word, size_t len);
/* The whole image, 8-byte aligned, for free(). It passes nameset_open(). */
int nameset_build(struct nameset_builder *b, unsigned int set_count, void **ret,
		  size_t *ret_len);
