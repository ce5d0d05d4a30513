/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of name sets: which sets of the rules a domain name belongs to.
 * Made by the sandboxed compiler, checked here before anybody uses it, matched
 * by whoever holds names. Full names, suffixes and keywords are matched here;
 * regular expressions are kept as text, for supervisor/compile/regex.h. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/ruleset_format.h"

#define NAMESET_MAGIC 0x3154455345414400ULL
#define NAMESET_VERSION 1
#define NAMESET_SETS_MAX (DAE_BITMAP_WORDS * 64)
#define NAMESET_NAME_MAX 253  /* bytes of a name in text */
#define NAMESET_WORD_MAX 1024 /* of a pattern */
#define NAMESET_PROBES_MAX 64
#define NAMESET_SLOTS_MAX (1U << 23)
#define NAMESET_NODES_MAX (1U << 22)

enum nameset_section {
	NAMESET_CLASSES, /* dae_bitmap[]: combinations of sets, 0 is none */
	NAMESET_SLOTS,	 /* nameset_slot[], a power of two: a hash of names */
	NAMESET_NODES,	 /* nameset_node[]: keywords, breadth first */
	NAMESET_EDGES,	 /* u32[]: byte << 24 | node, by byte for each node */
	NAMESET_REGEXES, /* nameset_regex[] */
	NAMESET_TEXT,	 /* bytes: u16 length and the word, again and again */
	NAMESET_SECTION_COUNT
};

struct nameset_slot {
	uint32_t text;	/* offset of the name's length, 0: empty */
	uint16_t self;	/* class of the name itself */
	uint16_t below; /* class of the names below it */
};

struct nameset_node {
	uint32_t first; /* edge */
	uint32_t fail;	/* node of the longest proper suffix */
	uint16_t out;	/* class of all keywords that end here */
	uint8_t edge_count;
	uint8_t depth;
};

struct nameset_regex {
	uint32_t text;
	uint16_t class_id;
	uint16_t reserved; /* 0 */
};

struct nameset_span {
	uint32_t offset; /* from the start of the image, multiple of 8 */
	uint32_t count;	 /* of elements */
};

struct nameset_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	   /* of the whole image */
	uint64_t checksum; /* of all that follows this field */
	uint64_t seed;	   /* of the hash */
	uint32_t set_count;
	uint32_t probe_max; /* slots to look at for one name */
	struct nameset_span sections[NAMESET_SECTION_COUNT];
};

_Static_assert(sizeof(struct nameset_slot) == 8, "bump the version");
_Static_assert(sizeof(struct nameset_node) == 12, "bump the version");
_Static_assert(sizeof(struct nameset_regex) == 8, "bump the version");
_Static_assert(sizeof(struct nameset_header) == 88, "bump the version");

/* A checked view of an image that somebody else owns. */
struct nameset {
	const uint8_t *base;
	const struct nameset_header *h;
};

size_t nameset_element_size(enum nameset_section s);
/*
 * Check an image of @len bytes, 8-byte aligned, completely: whatever a match
 * could reach lies inside, and it ends. 0, -EINVAL (malformed), -EPROTO (other
 * version), -EBADMSG (checksum).
 */
int nameset_open(const void *data, size_t len, struct nameset *ret);

/* One step of the hash of a name, from its last byte to its first. */
static inline uint64_t nameset_hash_step(uint64_t h, uint8_t c)
{
	return (h ^ c) * 0x100000001b3ULL;
}

/* What chooses the slot. */
static inline uint32_t nameset_hash_end(uint64_t h)
{
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
	return (uint32_t)(h >> 32);
}

/*
 * The name in lower case without a dot at its end, in @buf (NAMESET_NAME_MAX + 1
 * bytes, terminated). Its length, or -EINVAL: no domain name (empty, too long,
 * a byte that is none of a name's).
 */
ssize_t nameset_fold(const char *name, size_t len, char *buf);
/* The sets of a folded name, regular expressions left out. */
void nameset_match(const struct nameset *n, const char *name, size_t len,
		   struct dae_bitmap *ret);
/* A regular expression by number; *ret_sets are those it stands for. NULL:
 * there is none of this number. Not terminated. */
const char *nameset_regex(const struct nameset *n, size_t i, size_t *ret_len,
			  const struct dae_bitmap **ret_sets);
