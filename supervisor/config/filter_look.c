/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/filter_look.h"

#include <errno.h>
#include <string.h>

#include "supervisor/config/filter_regex.h"

#define CASE_SWITCH "(?i)"

struct look {
	const char *p, *end;
	bool ignores_case;
};

static bool starts_with(const struct look *l, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(l->end - l->p) >= n && memcmp(l->p, text, n) == 0;
}

/* Behind the bracket list that begins at @p. */
static const char *skip_bracket(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '^')
		p++;
	if (p < end && *p == ']')
		p++;
	while (p < end && *p != ']')
		p += *p == '\\' ? 2 : 1;
	return p < end ? p + 1 : end;
}

/* The parenthesis that closes the one before @p, or NULL. */
static const char *find_close(const char *p, const char *end)
{
	unsigned int depth = 1;

	while (p < end) {
		if (*p == '[') {
			p = skip_bracket(p, end);
			continue;
		}
		if (*p == '\\')
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p;
		p++;
	}
	return NULL;
}

/* @before ("^", or a group begun) and the @len bytes at @text as one pattern. */
static int compile_piece(const struct look *l, const char *before,
			 const char *text, size_t len, regex_t *ret,
			 const char **why)
{
	char buf[FILTER_PATTERN_MAX + 32];
	bool is_group = before[0] && before[1];
	size_t n = 0;

	if (len > FILTER_PATTERN_MAX) {
		*why = "it is empty or longer than 256 bytes";
		return -EINVAL;
	}
	if (l->ignores_case)
		n = (size_t)(stpcpy(buf, CASE_SWITCH) - buf);
	n = (size_t)(stpcpy(buf + n, before) - buf);
	memcpy(buf + n, text, len);
	n += len;
	if (is_group)
		buf[n++] = ')';
	return filter_regex_compile(buf, n, ret, why);
}

static int take_look(struct look *l, struct filter_pattern *p, const char **why)
{
	const char *text = l->p + 3, *close = find_close(text, l->end);
	int r;

	if (!close) {
		*why = "'(' without ')'";
		return -EINVAL;
	}
	if (p->count == FILTER_LOOKS_MAX) {
		*why = "so many lookaheads";
		return -EOPNOTSUPP;
	}
	r = compile_piece(l, "^(?:", text, (size_t)(close - text),
			  &p->looks[p->count].regex, why);
	if (r < 0)
		return r;
	p->looks[p->count++].negate = l->p[2] == '!';
	l->p = close + 1;
	return 0;
}

static bool is_at_look(const struct look *l)
{
	return starts_with(l, "(?!") || starts_with(l, "(?=");
}

int filter_pattern_compile(const char *pattern, size_t len,
			   struct filter_pattern *ret, const char **why)
{
	struct look l = { .p = pattern, .end = pattern + len };
	int r = 0;

	ret->count = 0;
	if (starts_with(&l, CASE_SWITCH)) {
		l.ignores_case = true;
		l.p += strlen(CASE_SWITCH);
	}
	if (!starts_with(&l, "^(?!") && !starts_with(&l, "^(?="))
		return filter_regex_compile(pattern, len, &ret->rest, why);
	l.p++;
	while (r == 0 && is_at_look(&l))
		r = take_look(&l, ret, why);
	if (r == 0)
		r = compile_piece(&l, "^", l.p, (size_t)(l.end - l.p),
				  &ret->rest, why);
	if (r < 0)
		while (ret->count > 0)
			regfree(&ret->looks[--ret->count].regex);
	return r;
}

bool filter_pattern_matches(const struct filter_pattern *p, const char *text)
{
	for (size_t i = 0; i < p->count; i++)
		if ((regexec(&p->looks[i].regex, text, 0, NULL, 0) == 0) ==
		    p->looks[i].negate)
			return false;
	return regexec(&p->rest, text, 0, NULL, 0) == 0;
}

void filter_pattern_free(struct filter_pattern *p)
{
	regfree(&p->rest);
	while (p->count > 0)
		regfree(&p->looks[--p->count].regex);
}
