/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/nameset.h"
#include "common/ruleset.h"
#include "supervisor/compile/nameset_build.h"

struct pattern {
	unsigned int set;
	enum nameset_kind kind;
	const char *word;
};

static void *build(const struct pattern *p, size_t count, unsigned int sets,
		   size_t *ret_len)
{
	auto_nameset_builder struct nameset_builder *b = NULL;
	void *image = NULL;

	assert_int_equal(nameset_builder_new(&b, 4711), 0);
	for (size_t i = 0; i < count; i++)
		assert_true(nameset_add(b, p[i].set, p[i].kind, p[i].word,
					strlen(p[i].word)) >= 0);
	assert_int_equal(nameset_build(b, sets, &image, ret_len), 0);
	return image;
}

/* "0 2 5": the sets of a name. */
static const char *sets_of(const struct nameset *n, const char *name)
{
	static char text[256];
	char folded[NAMESET_NAME_MAX + 1];
	struct dae_bitmap b;
	ssize_t len = nameset_fold(name, strlen(name), folded);
	size_t at = 0;

	if (len < 0)
		return "no name";
	nameset_match(n, folded, (size_t)len, &b);
	text[0] = '\0';
	for (unsigned int i = 0; i < NAMESET_SETS_MAX; i++)
		if (b.w[i / 64] >> i % 64 & 1)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       "%s%u", at ? " " : "", i);
	return text;
}

static const struct pattern patterns[] = {
	{ 0, NAMESET_SUFFIX, "example.com" },
	{ 1, NAMESET_SUFFIX, ".example.com" },
	{ 2, NAMESET_FULL, "Example.COM." },
	{ 3, NAMESET_FULL, "www.example.com" },
	{ 4, NAMESET_KEYWORD, "amp" },
	{ 5, NAMESET_KEYWORD, "mpl" },
	{ 6, NAMESET_KEYWORD, "e.c" },
	{ 7, NAMESET_SUFFIX, "com" },
	{ 8, NAMESET_KEYWORD, "ample.org" },
	{ 70, NAMESET_SUFFIX, "b.c" },
	{ 1000, NAMESET_SUFFIX, "b.c" },
	{ 9, NAMESET_KEYWORD, "MPLE" },
	{ 9, NAMESET_REGEX, "^a" },
};

static void test_semantics(void **state DAE_UNUSED)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "example.com", "0 2 4 5 6 7 9" },
		{ "EXAMPLE.com.", "0 2 4 5 6 7 9" },
		{ "www.example.com", "0 1 3 4 5 6 7 9" },
		{ "a.b.www.example.com", "0 1 4 5 6 7 9" },
		{ "badexample.com", "4 5 6 7 9" },
		{ "com", "7" },
		{ "b.c", "70 1000" },
		{ "ab.c", "" },
		{ "a.b.c", "70 1000" },
		{ "xamp", "4" },
		{ "ampamp", "4" },
		{ "sample.org", "4 5 8 9" },
		{ "amp-mple.c", "4 5 6 9" },
		{ "am", "" },
		{ "", "no name" },
		{ ".", "no name" },
		{ "a b", "no name" },
		{ "a\x80", "no name" },
	};
	size_t len, regex_len;
	auto_free void *image = build(patterns, ARRAY_LEN(patterns), 1024,
				      &len);
	const struct dae_bitmap *sets;
	struct nameset n;

	assert_int_equal(nameset_open(image, len, &n), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(sets_of(&n, rows[i].name), rows[i].want);
	assert_memory_equal(nameset_regex(&n, 0, &regex_len, &sets), "^a", 2);
	assert_int_equal(sets->w[0], 1U << 9);
	assert_null(nameset_regex(&n, 1, &regex_len, &sets));
}

static void test_left_out(void **state DAE_UNUSED)
{
	auto_nameset_builder struct nameset_builder *b = NULL;
	char longest[NAMESET_NAME_MAX + 2];
	static const struct {
		enum nameset_kind kind;
		const char *word;
		int want;
	} rows[] = {
		{ NAMESET_FULL, "a/b", 1 },
		{ NAMESET_SUFFIX, "a:b", 1 },
		{ NAMESET_FULL, "*.x.org", 1 },
		{ NAMESET_SUFFIX, "", 1 },
		{ NAMESET_SUFFIX, ".", 1 },
		{ NAMESET_FULL, "a_b-^.c", 0 },
		{ NAMESET_KEYWORD, "a/b", 0 },
		{ NAMESET_KEYWORD, "a b", 1 },
		{ NAMESET_KEYWORD, "end.", 1 },
		{ NAMESET_REGEX, "", 1 },
		{ NAMESET_FULL, "\xc3\xa4.de", 1 },
	};

	assert_int_equal(nameset_builder_new(&b, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(nameset_add(b, 0, rows[i].kind, rows[i].word,
					     strlen(rows[i].word)),
				 rows[i].want);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(
		nameset_add(b, 0, NAMESET_FULL, longest, NAMESET_NAME_MAX), 0);
	assert_int_equal(nameset_add(b, 0, NAMESET_FULL, longest,
				     NAMESET_NAME_MAX + 1),
			 1);
	assert_int_equal(nameset_add(b, NAMESET_SETS_MAX, NAMESET_FULL, "a", 1),
			 -EOVERFLOW);
}

/* A thing without any name works, too. */
static void test_empty(void **state DAE_UNUSED)
{
	size_t len;
	auto_free void *image = build(NULL, 0, 0, &len);
	struct nameset n;

	assert_int_equal(nameset_open(image, len, &n), 0);
	assert_string_equal(sets_of(&n, "example.com"), "");
}

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525 + 1013904223;
	return *s >> 16;
}

/* Few letters, few labels: many of everything are part of one another. */
static void random_word(uint32_t *s, char *buf)
{
	size_t len = 1 + next_random(s) % 7, i;

	for (i = 0; i < len; i++)
		buf[i] = "ab.cba"[next_random(s) % 6];
	buf[len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = 'a';
}

static bool is_match(const struct pattern *p, const char *name)
{
	const char *word = p->word;
	size_t n = strlen(name), k;

	if (p->kind == NAMESET_KEYWORD)
		return strstr(name, word) != NULL;
	if (p->kind == NAMESET_FULL)
		return strcmp(name, word) == 0;
	if (word[0] != '.' && strcmp(name, word) == 0)
		return true;
	word += word[0] == '.';
	k = strlen(word);
	return n > k && name[n - k - 1] == '.' &&
	       strcmp(name + n - k, word) == 0;
}

/* Against the definition, written down as plainly as can be. */
static void test_against_naive(void **state DAE_UNUSED)
{
	enum { PATTERNS = 300, NAMES = 4000 };
	static char words[PATTERNS][16];
	static struct pattern p[PATTERNS];
	char name[16], folded[NAMESET_NAME_MAX + 1];
	struct dae_bitmap got, want;
	uint32_t seed = 20261125;
	struct nameset n;
	size_t len;

	for (size_t i = 0; i < PATTERNS; i++) {
		random_word(&seed, words[i]);
		p[i] = (struct pattern){ next_random(&seed) % 200,
					 next_random(&seed) % 3, words[i] };
		if (p[i].kind == NAMESET_FULL && words[i][0] == '.')
			words[i][0] = 'c';
	}
	{
		auto_free void *image = build(p, PATTERNS, 200, &len);

		assert_int_equal(nameset_open(image, len, &n), 0);
		for (size_t i = 0; i < NAMES; i++) {
			random_word(&seed, name);
			assert_true(nameset_fold(name, strlen(name), folded) >
				    0);
			memset(&want, 0, sizeof(want));
			for (size_t k = 0; k < PATTERNS; k++)
				if (is_match(&p[k], folded))
					want.w[p[k].set / 64] |= 1ULL
								 << p[k].set %
									    64;
			nameset_match(&n, folded, strlen(folded), &got);
			assert_memory_equal(&got, &want, sizeof(want));
		}
	}
}

/* Many names, so that tables grow; all are found and no other. */
static void test_many(void **state DAE_UNUSED)
{
	auto_nameset_builder struct nameset_builder *b = NULL;
	auto_free void *image = NULL;
	char name[32];
	struct nameset n;
	size_t len;

	assert_int_equal(nameset_builder_new(&b, 99), 0);
	for (unsigned int i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "d%u.example%u.org", i, i % 7);
		assert_int_equal(nameset_add(b, i % 10, NAMESET_SUFFIX, name,
					     strlen(name)),
				 0);
	}
	assert_int_equal(nameset_build(b, 10, &image, &len), 0);
	assert_int_equal(nameset_open(image, len, &n), 0);
	for (unsigned int i = 0; i < 60000; i += 7) {
		char want[8];

		snprintf(name, sizeof(name), "w.d%u.example%u.org", i, i % 7);
		snprintf(want, sizeof(want), "%u", i % 10);
		assert_string_equal(sets_of(&n, name), i < 50000 ? want : "");
	}
}

/* Each byte of the image changed, with a right checksum: refused, or it still
 * matches without leaving the image (the sanitizers see to that). */
static void test_damaged_image(void **state DAE_UNUSED)
{
	size_t from = offsetof(struct nameset_header, checksum) + 8, len, at;
	auto_free uint8_t *image = build(patterns, ARRAY_LEN(patterns), 1024,
					 &len);
	struct nameset_header *h = (struct nameset_header *)image;
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	unsigned int refused = 0;
	struct nameset n;

	assert_int_equal(nameset_open(image, len - 8, &n), -EINVAL);
	assert_int_equal(nameset_open(image + 1, len - 8, &n), -EINVAL);
	image[len - 1] ^= 1;
	assert_int_equal(nameset_open(image, len, &n), -EBADMSG);
	image[len - 1] ^= 1;
	h->version++;
	assert_int_equal(nameset_open(image, len, &n), -EPROTO);
	h->version--;
	for (at = from; at < len; at++) {
		for (size_t k = 0; k < ARRAY_LEN(flips); k++) {
			image[at] ^= flips[k];
			h->checksum = ruleset_checksum(image + from,
						       len - from);
			if (nameset_open(image, len, &n) < 0)
				refused++;
			else
				sets_of(&n, "a.b.www.example.com");
			image[at] ^= flips[k];
		}
	}
	assert_true(refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_semantics),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_against_naive),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_damaged_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
