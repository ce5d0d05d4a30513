/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of name sets: its opener and its matcher. The input is a name, a
 * zero byte, patterns ended by line feeds (kind, set, word), another zero byte,
 * and changes to the image made of them: offset, length, bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/nameset.h"
#include "common/ruleset.h"
#include "supervisor/compile/nameset_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* From *p to the next @end; *p moves behind it. */
static const uint8_t *take(const uint8_t **p, size_t *left, uint8_t end,
			   size_t *ret_len)
{
	const uint8_t *from = *p, *at = *left ? memchr(from, end, *left) : NULL;

	*ret_len = at ? (size_t)(at - from) : *left;
	*p += *ret_len + (at != NULL);
	*left -= *ret_len + (at != NULL);
	return from;
}

static int make(const uint8_t *p, size_t left, void **ret, size_t *ret_len)
{
	auto_nameset_builder struct nameset_builder *b = NULL;
	const uint8_t *line;
	size_t n;

	if (nameset_builder_new(&b, 1) < 0)
		abort();
	while (left) {
		line = take(&p, &left, '\n', &n);
		if (n > 2)
			nameset_add(b, line[1] * 4U,
				    line[0] % NAMESET_KIND_COUNT,
				    (const char *)line + 2, n - 2);
	}
	return nameset_build(b, NAMESET_SETS_MAX, ret, ret_len);
}

static void damage(uint8_t *img, size_t size, const uint8_t *p, size_t left)
{
	uint16_t at;
	size_t n;

	while (left > 3) {
		memcpy(&at, p, sizeof(at));
		n = p[2] % 8 + 1U;
		p += 3;
		left -= 3;
		n = MIN(MIN(n, left), size - at % size);
		memcpy(img + at % size, p, n);
		p += n;
		left -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t from = offsetof(struct nameset_header, checksum) + 8;
	const uint8_t *name, *patterns;
	size_t name_len, patterns_len, size, word_len;
	char folded[NAMESET_NAME_MAX + 1];
	const struct dae_bitmap *sets;
	struct nameset_header *h;
	struct dae_bitmap got;
	struct nameset n;
	void *image;
	ssize_t k;

	name = take(&data, &len, 0, &name_len);
	patterns = take(&data, &len, 0, &patterns_len);
	if (make(patterns, patterns_len, &image, &size) < 0)
		return 0;
	if (nameset_open(image, size, &n) < 0)
		abort();
	damage(image, size, data, len);
	h = image;
	h->magic = NAMESET_MAGIC;
	h->version = NAMESET_VERSION;
	h->size = (uint32_t)size;
	h->checksum = ruleset_checksum((uint8_t *)image + from, size - from);
	k = nameset_fold((const char *)name, name_len, folded);
	if (nameset_open(image, size, &n) == 0 && k > 0) {
		nameset_match(&n, folded, (size_t)k, &got);
		for (size_t i = 0; nameset_regex(&n, i, &word_len, &sets); i++)
			got.w[0] |= sets->w[0];
	}
	free(image);
	return 0;
}
