/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside, made safe to show; small text parsers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/*
 * Copy @src to @dst (@cap bytes, always terminated) so that it is valid UTF-8
 * without control, escape or bidi-override characters; each bad sequence
 * becomes U+FFFD. Cut at a character boundary. Returns the length.
 * The one function through which every string from outside is shown.
 */
size_t text_clean(char *dst, size_t cap, const char *src, size_t len);
/* Damerau-Levenshtein distance, at most 8 (more is 8). For suggestions. */
unsigned int text_distance(const char *a, const char *b);
/*
 * The entry of @names (NULL-terminated) nearest to @word, if near enough to be
 * a likely misspelling, else NULL.
 */
const char *text_suggest(const char *word, const char *const *names);
/* Go's duration syntax ("1m30s", "-500ms", ".5s", bare "0"); signed ns.
 * -EINVAL, -ERANGE. */
int text_parse_duration(const char *s, int64_t *ret_ns);
/* Unsigned, base by prefix (0x 0o 0 0b), underscores between digits. */
int text_parse_uint(const char *s, uint64_t max, uint64_t *ret);
/* "64", "64K", "16M", "1G" (powers of 1024, optional "iB"/"B"); bytes. */
int text_parse_size(const char *s, uint64_t *ret);
/* Go's bools: true t 1 y yes on, false f 0 n no off, any case. */
int text_parse_bool(const char *s, bool *ret);
/* "1m30s", "250ms": shortest exact form; returns @buf (32 bytes). */
const char *text_format_duration(uint64_t ns, char *buf);

/* Text put together in @buf, cut at @cap, always terminated after a text_put(). */
struct text_out {
	char *buf;
	size_t cap, len;
};

void text_put(struct text_out *o, const char *fmt, ...) DAE_PRINTF(2, 3);
