/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words kept once, as the image of name sets holds them, and hashes of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/nameset.h"

struct words {
	uint8_t *text; /* u16 length and bytes of each; nothing is at 0 */
	uint32_t len, capacity;
	uint64_t seed;
};

struct word_table {
	struct nameset_slot *slots;
	uint32_t count, slot_count; /* a power of two, or 0 */
	uint32_t probe_max;	    /* slots that the longest search looks at */
};

int words_init(struct words *w, uint64_t seed);
void words_clear(struct words *w);
/* The word at the offset @text. */
const char *words_at(const struct words *w, uint32_t text, size_t *ret_len);

/* The slot of the word, made if it is new. -EOVERFLOW, -ENOMEM. The pointer is
 * good until the next call. */
int word_table_slot(struct word_table *t, struct words *w, const char *word,
		    size_t len, struct nameset_slot **ret);
/* An empty table has one slot from now on. */
int word_table_ready(struct word_table *t, const struct words *w);
void word_table_clear(struct word_table *t);
