/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/nameset.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"

#define CHECKSUM_FROM (offsetof(struct nameset_header, checksum) + 8)

static const uint16_t element_sizes[] = {
	[NAMESET_CLASSES] = sizeof(struct dae_bitmap),
	[NAMESET_SLOTS] = sizeof(struct nameset_slot),
	[NAMESET_NODES] = sizeof(struct nameset_node),
	[NAMESET_EDGES] = 4,
	[NAMESET_REGEXES] = sizeof(struct nameset_regex),
	[NAMESET_TEXT] = 1,
};
_Static_assert(ARRAY_LEN(element_sizes) == NAMESET_SECTION_COUNT,
	       "size the new section");

static const uint32_t max_counts[NAMESET_SECTION_COUNT] = {
	[NAMESET_CLASSES] = DAE_CLASSES_MAX,
	[NAMESET_SLOTS] = NAMESET_SLOTS_MAX,
	[NAMESET_NODES] = NAMESET_NODES_MAX,
	[NAMESET_EDGES] = NAMESET_NODES_MAX,
	[NAMESET_REGEXES] = DAE_CLASSES_MAX,
	[NAMESET_TEXT] = UINT32_MAX,
};

size_t nameset_element_size(enum nameset_section s)
{
	return element_sizes[s];
}

static const void *section(const struct nameset *n, enum nameset_section s)
{
	return n->base + n->h->sections[s].offset;
}

static uint32_t count_of(const struct nameset *n, enum nameset_section s)
{
	return n->h->sections[s].count;
}

/* The word at @text of a checked image. */
static const char *word_at(const struct nameset *n, uint32_t text,
			   size_t *ret_len)
{
	const uint8_t *p = (const uint8_t *)section(n, NAMESET_TEXT) + text;
	uint16_t len;

	memcpy(&len, p, sizeof(len));
	*ret_len = len;
	return (const char *)p + sizeof(len);
}

static int check_header(const struct nameset_header *h)
{
	uint32_t slots = h->sections[NAMESET_SLOTS].count;
	const struct nameset_span *s;

	for (size_t i = 0; i < NAMESET_SECTION_COUNT; i++) {
		s = &h->sections[i];
		if (s->count > max_counts[i] || s->offset % 8 ||
		    s->offset < sizeof(*h) || s->offset > h->size ||
		    (h->size - s->offset) / element_sizes[i] < s->count)
			return -EINVAL;
	}
	if (h->set_count > NAMESET_SETS_MAX ||
	    h->probe_max > NAMESET_PROBES_MAX || slots == 0 ||
	    slots & (slots - 1) || h->sections[NAMESET_CLASSES].count == 0 ||
	    h->sections[NAMESET_NODES].count == 0)
		return -EINVAL;
	return 0;
}

/* The first class is empty, and none has a bit beyond the sets. */
static int check_classes(const struct nameset *n)
{
	const struct dae_bitmap *b = section(n, NAMESET_CLASSES);
	uint32_t sets = n->h->set_count, count, i, w;
	uint64_t beyond;

	count = count_of(n, NAMESET_CLASSES);
	for (w = 0; w < DAE_BITMAP_WORDS; w++) {
		beyond = w * 64 >= sets	       ? ~0ULL
			 : w * 64 + 64 <= sets ? 0
					       : ~0ULL << sets % 64;
		if (b[0].w[w])
			return -EINVAL;
		for (i = 0; i < count; i++)
			if (b[i].w[w] & beyond)
				return -EINVAL;
	}
	return 0;
}

static bool is_word(const struct nameset *n, uint32_t text)
{
	uint32_t size = count_of(n, NAMESET_TEXT);
	size_t len;

	if (text > size || size - text < sizeof(uint16_t))
		return false;
	word_at(n, text, &len);
	return len > 0 && len <= NAMESET_WORD_MAX &&
	       len <= size - text - sizeof(uint16_t);
}

static int check_words(const struct nameset *n)
{
	const struct nameset_slot *s = section(n, NAMESET_SLOTS);
	const struct nameset_regex *r = section(n, NAMESET_REGEXES);
	uint32_t classes = count_of(n, NAMESET_CLASSES), i;

	for (i = 0; i < count_of(n, NAMESET_SLOTS); i++)
		if (s[i].text &&
		    (!is_word(n, s[i].text) || s[i].self >= classes ||
		     s[i].below >= classes))
			return -EINVAL;
	for (i = 0; i < count_of(n, NAMESET_REGEXES); i++)
		if (!is_word(n, r[i].text) || r[i].class_id >= classes)
			return -EINVAL;
	return 0;
}

/* Edges go one deeper and failure goes back up: a walk over a name takes at
 * most two steps a byte. */
static int check_edges(const struct nameset *n, const struct nameset_node *x)
{
	const struct nameset_node *nodes = section(n, NAMESET_NODES);
	const uint32_t *edges = section(n, NAMESET_EDGES);
	uint32_t count = count_of(n, NAMESET_EDGES), i, target;

	if (x->first > count || count - x->first < x->edge_count)
		return -EINVAL;
	for (i = x->first; i < x->first + x->edge_count; i++) {
		target = edges[i] & 0xffffff;
		if (target >= count_of(n, NAMESET_NODES) ||
		    nodes[target].depth != x->depth + 1 ||
		    (i > x->first && edges[i] >> 24 <= edges[i - 1] >> 24))
			return -EINVAL;
	}
	return 0;
}

static int check_nodes(const struct nameset *n)
{
	const struct nameset_node *nodes = section(n, NAMESET_NODES);
	uint32_t count = count_of(n, NAMESET_NODES), i;

	for (i = 0; i < count; i++) {
		if (nodes[i].out >= count_of(n, NAMESET_CLASSES) ||
		    nodes[i].fail >= count ||
		    (i == 0) != (nodes[i].depth == 0) ||
		    check_edges(n, &nodes[i]) < 0)
			return -EINVAL;
		if (i > 0 && nodes[nodes[i].fail].depth >= nodes[i].depth)
			return -EINVAL;
	}
	return 0;
}

int nameset_open(const void *data, size_t len, struct nameset *ret)
{
	struct nameset n = { .base = data, .h = data };
	const struct nameset_header *h = data;

	if ((uintptr_t)data % 8 || len < sizeof(*h) || len > UINT32_MAX ||
	    h->magic != NAMESET_MAGIC || h->size != len)
		return -EINVAL;
	if (h->version != NAMESET_VERSION)
		return -EPROTO;
	if (h->checksum !=
	    ruleset_checksum(n.base + CHECKSUM_FROM, len - CHECKSUM_FROM))
		return -EBADMSG;
	if (check_header(h) < 0 || check_classes(&n) < 0 ||
	    check_words(&n) < 0 || check_nodes(&n) < 0)
		return -EINVAL;
	*ret = n;
	return 0;
}

ssize_t nameset_fold(const char *name, size_t len, char *buf)
{
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > NAMESET_NAME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f)
			return -EINVAL;
		buf[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

static void add_class(const struct nameset *n, uint32_t id,
		      struct dae_bitmap *to)
{
	const struct dae_bitmap *b = section(n, NAMESET_CLASSES);

	for (size_t w = 0; id && w < DAE_BITMAP_WORDS; w++)
		to->w[w] |= b[id].w[w];
}

static const struct nameset_slot *find(const struct nameset *n, uint32_t hash,
				       const char *name, size_t len)
{
	const struct nameset_slot *slots = section(n, NAMESET_SLOTS), *s;
	uint32_t mask = count_of(n, NAMESET_SLOTS) - 1, i;
	const char *word;
	size_t word_len;

	for (i = 0; i < n->h->probe_max; i++) {
		s = &slots[(hash + i) & mask];
		if (!s->text)
			return NULL;
		word = word_at(n, s->text, &word_len);
		if (word_len == len && memcmp(word, name, len) == 0)
			return s;
	}
	return NULL;
}

static void match_suffixes(const struct nameset *n, const char *name,
			   size_t len, struct dae_bitmap *ret)
{
	const struct nameset_slot *s;
	uint64_t h = n->h->seed;
	size_t i;

	for (i = len; i > 0; i--) {
		h = nameset_hash_step(h, (uint8_t)name[i - 1]);
		if (i > 1 && name[i - 2] != '.')
			continue;
		s = find(n, nameset_hash_end(h), name + i - 1, len - (i - 1));
		if (s)
			add_class(n, i == 1 ? s->self : s->below, ret);
	}
}

/* The node behind @node over @c, or 0. */
static uint32_t follow(const struct nameset *n, uint32_t node, uint8_t c)
{
	const struct nameset_node *nodes = section(n, NAMESET_NODES);
	const uint32_t *edges = section(n, NAMESET_EDGES);
	uint32_t lo = nodes[node].first, hi = lo + nodes[node].edge_count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (edges[mid] >> 24 == c)
			return edges[mid] & 0xffffff;
		if (edges[mid] >> 24 < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

static void match_keywords(const struct nameset *n, const char *name,
			   size_t len, struct dae_bitmap *ret)
{
	const struct nameset_node *nodes = section(n, NAMESET_NODES);
	uint32_t at = 0, next;

	for (size_t i = 0; i < len; i++) {
		next = follow(n, at, (uint8_t)name[i]);
		while (!next && at) {
			at = nodes[at].fail;
			next = follow(n, at, (uint8_t)name[i]);
		}
		at = next;
		add_class(n, nodes[at].out, ret);
	}
}

void nameset_match(const struct nameset *n, const char *name, size_t len,
		   struct dae_bitmap *ret)
{
	*ret = (struct dae_bitmap){ 0 };
	match_suffixes(n, name, len, ret);
	if (count_of(n, NAMESET_NODES) > 1)
		match_keywords(n, name, len, ret);
}

const char *nameset_regex(const struct nameset *n, size_t i, size_t *ret_len,
			  const struct dae_bitmap **ret_sets)
{
	const struct nameset_regex *r = section(n, NAMESET_REGEXES);
	const struct dae_bitmap *b = section(n, NAMESET_CLASSES);

	if (i >= count_of(n, NAMESET_REGEXES))
		return NULL;
	*ret_sets = &b[r[i].class_id];
	return word_at(n, r[i].text, ret_len);
}
