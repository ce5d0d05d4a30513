/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A section is a table: each key with the function that reads its value and the
 * place where the value goes. A key without a row is unknown.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_ctx.h"

struct key;

/* Read @item's value into @out, the field. Everything wrong is reported; the
 * field then keeps its value. */
typedef void key_fn(struct config_ctx *c, const struct key *k,
		    const struct ast_item *item, void *out);

struct key {
	const char *name; /* NULL ends a table */
	key_fn *read;
	size_t offset; /* of the field, in what the table fills */
	uint64_t max;  /* numbers */
	uint64_t min;
	const char *const *words; /* key_word: NULL-terminated */
	const char *later;	  /* why it does not act yet; NULL: it does */
	bool is_section;	  /* NAME { … } rather than NAME: … */
	bool takes_notes;	  /* reads the annotation itself */
};

/* A row; further members as designated initializers. */
#define KEY(name_, read_, offset_, ...)                                        \
	{                                                                      \
		.name = (name_), .read = (read_), .offset = (offset_),         \
		__VA_ARGS__                                                    \
	}

#define KEY_NOWHERE SIZE_MAX /* checked, but stored nowhere */
#define KEYS_MAX 64U	     /* rows of one table */

/* Decode the items of @section by the table @keys into @base. */
void keys_decode(struct config_ctx *c, const struct ast_item *section,
		 const struct key *keys, void *base);

/* The row of @name; else NULL, reported with a suggestion at @name. @what is
 * the kind of thing: "key", "sub-section". */
const struct key *keys_find(struct config_ctx *c, const struct key *keys,
			    const struct ast_text *name, const char *what);

/* The literals joined by ',' as one terminated text in the scratch arena, with
 * their place; NULL if @item has none, reported. */
const char *keys_text(struct config_ctx *c, const struct ast_item *item);
/* Where the value of a declaration is. */
const struct ast_text *keys_value(const struct ast_item *item);
/* Refuse [ … ] with a warning; for declarations that use no annotation. */
void keys_no_notes(struct config_ctx *c, const struct ast_item *item);

key_fn key_bool;      /* bool */
key_fn key_u16;	      /* uint16_t within min..max */
key_fn key_u32;	      /* uint32_t within min..max */
key_fn key_u64;	      /* uint64_t within min..max */
key_fn key_duration;  /* uint64_t ns within min..max, max 0: no limit */
key_fn key_size;      /* uint64_t bytes within min..max, max 0: no limit */
key_fn key_string;    /* char * */
key_fn key_list;      /* struct config_list, appended to */
key_fn key_word;      /* int: the index in words; enums are ints here */
key_fn key_word_text; /* char *: the word itself */
