/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/nameset_build.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/compile/keywords.h"
#include "supervisor/compile/words.h"
#include "supervisor/rules/classes.h"

#define CHECKSUM_FROM (offsetof(struct nameset_header, checksum) + 8)

/* What a word stands for: itself, the names below it. */
enum { SELF = 1, BELOW = 2 };

struct nameset_builder {
	struct words words;
	struct word_table names, keywords, regexes;
	struct classes classes;
	uint32_t last_from, last_set, last_to; /* of class_with() */
};

int nameset_builder_new(struct nameset_builder **ret, uint64_t seed)
{
	struct nameset_builder *b = calloc(1, sizeof(*b));
	static const struct dae_bitmap none;
	uint32_t id;
	int r;

	if (!b)
		return -ENOMEM;
	b->last_from = UINT32_MAX;
	r = words_init(&b->words, seed);
	if (r == 0)
		r = classes_intern(&b->classes, &none, &id);
	if (r < 0) {
		nameset_builder_free(&b);
		return r;
	}
	*ret = b;
	return 0;
}

void nameset_builder_free(struct nameset_builder **bp)
{
	struct nameset_builder *b = TAKE_PTR(*bp);

	if (!b)
		return;
	words_clear(&b->words);
	word_table_clear(&b->names);
	word_table_clear(&b->keywords);
	word_table_clear(&b->regexes);
	classes_clear(&b->classes);
	free(b);
}

/* The class of those sets and @set. The same step is taken many times in a
 * row. */
static int class_with(struct nameset_builder *b, uint16_t *class_id,
		      unsigned int set)
{
	struct dae_bitmap bits;
	uint32_t id;
	int r;

	if (*class_id == b->last_from && set == b->last_set) {
		*class_id = (uint16_t)b->last_to;
		return 0;
	}
	bits = b->classes.rows[*class_id];
	if (bits.w[set / 64] >> set % 64 & 1)
		return 0;
	bits.w[set / 64] |= 1ULL << set % 64;
	r = classes_intern(&b->classes, &bits, &id);
	if (r < 0)
		return r;
	b->last_from = *class_id;
	b->last_set = set;
	b->last_to = id;
	*class_id = (uint16_t)id;
	return 0;
}

static int add_word(struct nameset_builder *b, struct word_table *t,
		    unsigned int set, const char *word, size_t len,
		    unsigned int what)
{
	struct nameset_slot *s;
	int r;

	r = word_table_slot(t, &b->words, word, len, &s);
	if (r == 0 && what & SELF)
		r = class_with(b, &s->self, set);
	if (r == 0 && what & BELOW)
		r = class_with(b, &s->below, set);
	return r;
}

/* What full names and suffixes are made of. */
static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') &&
		    !(s[i] >= '0' && s[i] <= '9') && !strchr("-._^", s[i]))
			return false;
	return true;
}

int nameset_add(struct nameset_builder *b, unsigned int set,
		enum nameset_kind kind, const char *word, size_t len)
{
	char buf[NAMESET_NAME_MAX + 1];
	unsigned int what = SELF;
	ssize_t n;

	if (set >= NAMESET_SETS_MAX)
		return -EOVERFLOW;
	if (kind == NAMESET_REGEX) {
		if (len == 0 || len > NAMESET_WORD_MAX)
			return 1;
		return add_word(b, &b->regexes, set, word, len, SELF);
	}
	if (kind == NAMESET_SUFFIX && len > 1 && word[0] == '.') {
		what = 0;
		word++;
		len--;
	}
	if (kind == NAMESET_KEYWORD && len && word[len - 1] == '.')
		return 1; /* a name that ends so is not asked for */
	n = nameset_fold(word, len, buf);
	if (n < 0)
		return 1;
	if (kind == NAMESET_KEYWORD)
		return add_word(b, &b->keywords, set, buf, (size_t)n, SELF);
	if (!is_name(buf, (size_t)n))
		return 1;
	return add_word(b, &b->names, set, buf, (size_t)n,
			kind == NAMESET_SUFFIX ? what | BELOW : what);
}

struct piece {
	const void *data;
	uint32_t count;
};

static uint32_t lay_out(struct nameset_header *h, const struct piece *p)
{
	uint64_t at = sizeof(*h);

	for (size_t i = 0; i < NAMESET_SECTION_COUNT; i++) {
		h->sections[i].count = p[i].count;
		at = (at + 7) & ~7ULL;
		h->sections[i].offset = (uint32_t)at;
		at += (uint64_t)p[i].count * nameset_element_size(i);
		if (at > UINT32_MAX)
			return 0;
	}
	return (uint32_t)at;
}

static int assemble(const struct nameset_builder *b, unsigned int set_count,
		    const struct piece *p, void **ret, size_t *ret_len)
{
	struct nameset_header h = { .magic = NAMESET_MAGIC,
				    .version = NAMESET_VERSION,
				    .seed = b->words.seed,
				    .set_count = set_count,
				    .probe_max = b->names.probe_max };
	uint8_t *data;

	h.size = lay_out(&h, p);
	if (!h.size)
		return -EOVERFLOW;
	data = calloc(1, h.size);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < NAMESET_SECTION_COUNT; i++)
		if (p[i].count)
			memcpy(data + h.sections[i].offset, p[i].data,
			       p[i].count * nameset_element_size(i));
	memcpy(data, &h, sizeof(h));
	h.checksum = ruleset_checksum(data + CHECKSUM_FROM,
				      h.size - CHECKSUM_FROM);
	memcpy(data, &h, sizeof(h));
	*ret = data;
	*ret_len = h.size;
	return 0;
}

static int compare_regexes(const void *a, const void *b)
{
	const struct nameset_regex *x = a, *y = b;

	return x->text < y->text ? -1 : x->text > y->text;
}

/* In the order of their first appearance. */
static int list_regexes(const struct word_table *t, struct nameset_regex **ret)
{
	struct nameset_regex *r = calloc(t->count + 1, sizeof(*r));
	uint32_t n = 0;

	if (!r)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->slot_count; i++)
		if (t->slots[i].text)
			r[n++] = (struct nameset_regex){
				.text = t->slots[i].text,
				.class_id = t->slots[i].self,
			};
	qsort(r, n, sizeof(*r), compare_regexes);
	*ret = r;
	return 0;
}

int nameset_build(struct nameset_builder *b, unsigned int set_count, void **ret,
		  size_t *ret_len)
{
	auto_free struct nameset_regex *regexes = NULL;
	auto_keywords struct keywords k = { 0 };
	struct piece p[NAMESET_SECTION_COUNT];
	int r;

	if (set_count > NAMESET_SETS_MAX || b->regexes.count > DAE_CLASSES_MAX)
		return -EOVERFLOW;
	r = list_regexes(&b->regexes, &regexes);
	if (r == 0)
		r = word_table_ready(&b->names, &b->words);
	if (r == 0)
		r = keywords_build(&k, &b->words, &b->keywords, &b->classes);
	if (r < 0)
		return r;
	p[NAMESET_CLASSES] = (struct piece){ b->classes.rows,
					     b->classes.count };
	p[NAMESET_SLOTS] = (struct piece){ b->names.slots,
					   b->names.slot_count };
	p[NAMESET_NODES] = (struct piece){ k.nodes, k.node_count };
	p[NAMESET_EDGES] = (struct piece){ k.edges, k.edge_count };
	p[NAMESET_REGEXES] = (struct piece){ regexes, b->regexes.count };
	p[NAMESET_TEXT] = (struct piece){ b->words.text, b->words.len };
	return assemble(b, set_count, p, ret, ret_len);
}
