/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

#define DISTANCE_MAX 8
#define WORD_MAX 64

/*
 * Decode one character of at most @len bytes. Its length, with the code point
 * in *ret; for an ill-formed sequence the length of its longest well-formed
 * beginning (at least 1) and *ret = UINT32_MAX.
 */
static size_t decode_utf8(const uint8_t *s, size_t len, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t want;
	uint32_t cp;

	*ret = UINT32_MAX;
	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 1;
	want = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	cp = s[0] & (0xffU >> (want + 1));
	for (size_t i = 1; i < want; i++) {
		if (i >= len || (s[i] & 0xc0) != 0x80)
			return i;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < smallest[want] || cp > 0x10ffff ||
	    (cp >= 0xd800 && cp <= 0xdfff))
		return 1;
	*ret = cp;
	return want;
}

/* Characters that move the cursor, start an escape or reorder a line. */
static bool is_unsafe(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == UINT32_MAX)
		return true;
	if (cp == 0x61c || cp == 0x200e || cp == 0x200f)
		return true;
	if (cp >= 0x2028 && cp <= 0x202e) /* separators, bidi embeddings */
		return true;
	return (cp >= 0x2066 && cp <= 0x2069) || /* bidi isolates */
	       (cp >= 0xe0000 && cp <= 0xe007f); /* invisible tags */
}

size_t text_clean(char *dst, size_t cap, const char *src, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t used = 0, in, out;
	const char *from;
	uint32_t cp;

	if (cap == 0)
		return 0;
	for (size_t i = 0; i < len; i += in) {
		in = decode_utf8((const uint8_t *)src + i, len - i, &cp);
		from = is_unsafe(cp) ? replacement : src + i;
		out = is_unsafe(cp) ? sizeof(replacement) - 1 : in;
		if (out >= cap - used)
			break;
		memcpy(dst + used, from, out);
		used += out;
	}
	dst[used] = '\0';
	return used;
}

/* The cell of row @i, column @j, from the two rows above it. */
static unsigned int distance_cell(const char *a, const char *b, size_t i,
				  size_t j, unsigned int (*row)[WORD_MAX + 1])
{
	unsigned int *up2 = row[(i + 1) % 3], *up = row[(i + 2) % 3];
	unsigned int *now = row[i % 3];
	unsigned int best = up[j - 1] + (a[i - 1] != b[j - 1]);

	best = MIN(best, up[j] + 1);
	best = MIN(best, now[j - 1] + 1);
	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		best = MIN(best, up2[j - 2] + 1);
	return best;
}

unsigned int text_distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1] = { 0 };
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return strcmp(a, b) == 0 ? 0 : DISTANCE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		row[i % 3][0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++)
			row[i % 3][j] = distance_cell(a, b, i, j, row);
	}
	return MIN(row[la % 3][lb], (unsigned int)DISTANCE_MAX);
}

const char *text_suggest(const char *word, const char *const *names)
{
	size_t len = strlen(word);
	unsigned int best = len <= 3 ? 1 : len <= 7 ? 2 : 3, d;
	const char *found = NULL;

	for (; *names; names++) {
		d = text_distance(word, *names);
		if (d < len && (d < best || (d == best && !found))) {
			best = d;
			found = *names;
		}
	}
	return found;
}

void text_put(struct text_out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len = MIN(o->len + (size_t)n, o->cap - 1);
}
