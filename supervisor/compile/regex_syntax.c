/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/regex_syntax.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REPEAT_MAX 1000U /* RE2's own */

struct scan {
	const char *p, *end;
	char *why;
	size_t cap;
	bool after_repeat; /* what came last was *, +, ? or {n,m} */
	bool after_lazy;   /* and a ? behind it */
};

static int refuse(struct scan *s, const char *text)
{
	snprintf(s->why, s->cap, "%s", text);
	return -EINVAL;
}

/* s->p stands behind the backslash. */
static int check_escape(struct scan *s)
{
	static const char known[] = "dDsSwWbBAzafnrtvxQEpP";
	char c = s->p < s->end ? *s->p : '\0';

	if (!c)
		return refuse(s, "it ends with a backslash");
	s->p++;
	if (c >= '1' && c <= '9')
		return refuse(s,
			      "references back, as in \\1, are not possible");
	if (isalpha((unsigned char)c) && !strchr(known, c)) {
		snprintf(s->why, s->cap, "'\\%c' is no escape of RE2", c);
		return -EINVAL;
	}
	if (c != 'Q')
		return 0;
	while (s->end - s->p >= 2 && !(s->p[0] == '\\' && s->p[1] == 'E'))
		s->p++;
	s->p = s->end - s->p >= 2 ? s->p + 2 : s->end;
	return 0;
}

/* s->p stands behind "(". */
static int check_group(struct scan *s)
{
	const char *q;

	if (s->p < s->end && *s->p == '*')
		return refuse(s, "verbs, as in (*FAIL), are not possible");
	if (s->p == s->end || *s->p != '?')
		return 0;
	q = s->p + 1;
	if (q < s->end && *q == 'P' && s->end - q > 1 && q[1] != '<')
		return refuse(s, "references back, as in (?P=name), are not "
				 "possible");
	if (q < s->end && *q == 'P')
		q++;
	if (q < s->end && *q == '<') {
		q++;
		if (q < s->end && (*q == '=' || *q == '!'))
			return refuse(s, "looking behind is not possible");
		s->p = q;
		return 0;
	}
	if (q < s->end && (*q == '=' || *q == '!'))
		return refuse(s, "looking ahead is not possible");
	while (q < s->end && strchr("imsU-", *q) && *q)
		q++;
	if (q == s->end || (*q != ':' && *q != ')'))
		return refuse(s, "a group of a kind that RE2 does not have");
	s->p = q + (*q == ':');
	return 0;
}

/* s->p stands behind "[". */
static int check_class(struct scan *s)
{
	int r;

	if (s->p < s->end && *s->p == '^')
		s->p++;
	if (s->p < s->end && *s->p == ']')
		s->p++; /* the first is a character like others */
	while (s->p < s->end && *s->p != ']') {
		if (s->end - s->p > 1 && s->p[0] == '[' && s->p[1] == ':') {
			const char *q = memchr(s->p + 2, ']',
					       (size_t)(s->end - s->p - 2));

			s->p = q ? q + 1 : s->end;
			continue;
		}
		if (*s->p++ != '\\')
			continue;
		r = check_escape(s);
		if (r < 0)
			return r;
	}
	s->p += s->p < s->end;
	return 0;
}

/* "{n}", "{n,}" or "{n,m}" at s->p - 1? Else it is a character. */
static int check_braces(struct scan *s, bool *ret_is_repeat)
{
	unsigned int n = 0, commas = 0, digits = 0;
	const char *q;

	*ret_is_repeat = false;
	for (q = s->p; q < s->end && *q != '}'; q++) {
		if (*q == ',') {
			if (!digits || commas++)
				return 0;
			n = 0;
			continue;
		}
		if (!isdigit((unsigned char)*q))
			return 0;
		digits++;
		n = n * 10 + (unsigned int)(*q - '0');
		if (n > REPEAT_MAX)
			return refuse(s, "a repetition of more than 1000");
	}
	if (q == s->end || !digits)
		return 0;
	*ret_is_repeat = true;
	s->p = q + 1;
	return 0;
}

/* @c is *, + or ?, or stands for braces. */
static int check_repeat(struct scan *s, char c)
{
	if (s->after_repeat && c == '?' && !s->after_lazy) {
		s->after_lazy = true;
		return 0;
	}
	if (s->after_repeat)
		return refuse(s, "a repetition of a repetition, or a "
				 "possessive one");
	s->after_repeat = true;
	s->after_lazy = false;
	return 0;
}

static int check_one(struct scan *s)
{
	bool is_repeat = false;
	char c = *s->p++;
	int r = 0;

	if (c == '{')
		r = check_braces(s, &is_repeat);
	if (r < 0)
		return r;
	if (is_repeat || c == '*' || c == '+' || c == '?')
		return check_repeat(s, c);
	s->after_repeat = s->after_lazy = false;
	switch (c) {
	case '\0':
		return refuse(s, "it has a byte of zero in it");
	case '\\':
		return check_escape(s);
	case '(':
		return check_group(s);
	case '[':
		return check_class(s);
	default:
		return 0;
	}
}

int regex_syntax_check(const char *pattern, size_t len, char *why, size_t cap)
{
	struct scan s = {
		.p = pattern, .end = pattern + len, .why = why, .cap = cap
	};
	int r = 0;

	while (r == 0 && s.p < s.end)
		r = check_one(&s);
	return r;
}
