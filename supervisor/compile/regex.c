/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/regex.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/base.h"
#include "supervisor/compile/regex_syntax.h"

#define PARENS_MAX 64
#define STEPS_MAX 200000 /* of one match */
#define DEPTH_MAX 2000
#define HEAP_MAX_KIB 1024

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static int compile(struct regex *r, const char *pattern, size_t len, char *why,
		   size_t cap)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR text[120];
	PCRE2_SIZE at = 0;
	int error = 0;

	if (!cc)
		return -ENOMEM;
	pcre2_set_parens_nest_limit(cc, PARENS_MAX);
	pcre2_set_max_pattern_length(cc, NAMESET_WORD_MAX);
	r->code = pcre2_compile((PCRE2_SPTR)pattern, len,
				PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
					PCRE2_NEVER_BACKSLASH_C |
					PCRE2_NO_AUTO_CAPTURE,
				&error, &at, cc);
	pcre2_compile_context_free(cc);
	if (r->code)
		return 0;
	pcre2_get_error_message(error, text, sizeof(text));
	snprintf(why, cap, "%s (behind %zu characters)", (char *)text,
		 (size_t)at);
	return error == PCRE2_ERROR_NOMEMORY || error == 121 ? -ENOMEM
							     : -EINVAL;
}

int regex_new(struct regex **ret, const char *pattern, size_t len, char *why,
	      size_t cap)
{
	struct regex *r;
	int e;

	snprintf(why, cap, "out of memory");
	e = regex_syntax_check(pattern, len, why, cap);
	if (e < 0)
		return e;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	e = compile(r, pattern, len, why, cap);
	if (e == 0) {
		r->data = pcre2_match_data_create(1, NULL);
		r->limits = pcre2_match_context_create(NULL);
		e = r->data && r->limits ? 0 : -ENOMEM;
	}
	if (e < 0) {
		regex_free(&r);
		return e;
	}
	pcre2_set_match_limit(r->limits, STEPS_MAX);
	pcre2_set_depth_limit(r->limits, DEPTH_MAX);
	pcre2_set_heap_limit(r->limits, HEAP_MAX_KIB);
	*ret = r;
	return 0;
}

void regex_free(struct regex **rp)
{
	struct regex *r = TAKE_PTR(*rp);

	if (!r)
		return;
	pcre2_code_free(r->code);
	pcre2_match_data_free(r->data);
	pcre2_match_context_free(r->limits);
	free(r);
}

int regex_match(const struct regex *r, const char *name, size_t len)
{
	int n = pcre2_match(r->code, (PCRE2_SPTR)name, len, 0, 0, r->data,
			    r->limits);

	if (n >= 0)
		return 1;
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	return n == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
}

struct matcher {
	const struct nameset *names;
	struct regex **regexes;
	size_t count;
};

int matcher_new(struct matcher **ret, const struct nameset *n, char *why,
		size_t cap)
{
	size_t max = n->h->sections[NAMESET_REGEXES].count, len;
	struct matcher *m = calloc(1, sizeof(*m));
	const struct dae_bitmap *sets;
	const char *text;
	int r = 0;

	if (m)
		m->regexes = calloc(max + 1, sizeof(*m->regexes));
	if (!m || !m->regexes) {
		matcher_free(&m);
		snprintf(why, cap, "out of memory");
		return -ENOMEM;
	}
	m->names = n;
	for (size_t i = 0; r == 0 && i < max; i++) {
		text = nameset_regex(n, i, &len, &sets);
		r = regex_new(&m->regexes[i], text, len, why, cap);
		m->count += r == 0;
	}
	if (r < 0)
		matcher_free(&m);
	*ret = m;
	return r;
}

void matcher_free(struct matcher **mp)
{
	struct matcher *m = TAKE_PTR(*mp);

	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		regex_free(&m->regexes[i]);
	free(m->regexes);
	free(m);
}

int matcher_match(struct matcher *m, const char *name, size_t len,
		  struct dae_bitmap *ret, size_t *ret_given_up)
{
	const struct dae_bitmap *sets;
	size_t text_len;
	int r;

	nameset_match(m->names, name, len, ret);
	for (size_t i = 0; i < m->count; i++) {
		r = regex_match(m->regexes[i], name, len);
		if (r == -ENOMEM)
			return r;
		*ret_given_up += r < 0;
		if (r <= 0)
			continue;
		nameset_regex(m->names, i, &text_len, &sets);
		for (size_t w = 0; w < DAE_BITMAP_WORDS; w++)
			ret->w[w] |= sets->w[w];
	}
	return 0;
}
