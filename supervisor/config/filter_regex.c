/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/filter_regex.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define REPEAT_TOTAL_MAX 1000U /* product of all {n}: bounds the automaton */
/* each input byte becomes at most this many, brackets once more besides */
#define OUT_MAX (FILTER_PATTERN_MAX * 12)

struct translation {
	const char *p, *end;
	char out[OUT_MAX + 64];
	size_t len;
	unsigned int repeats;
	bool ignores_case;
	const char *why;
};

static void put(struct translation *t, const char *s, size_t len)
{
	if (t->len + len < sizeof(t->out)) {
		memcpy(t->out + t->len, s, len);
		t->len += len;
	}
}

static void put_text(struct translation *t, const char *s)
{
	put(t, s, strlen(s));
}

static int unsupported(struct translation *t, const char *why)
{
	t->why = why;
	return -EOPNOTSUPP;
}

static int malformed(struct translation *t, const char *why)
{
	t->why = why;
	return -EINVAL;
}

static size_t char_len(const char *p, const char *end)
{
	size_t n = 1;

	while (p + n < end && ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* The members of a shorthand class, to stand inside brackets. */
static const char *class_members(char c)
{
	switch (c) {
	case 'd':
		return "0-9";
	case 'w':
		return "A-Za-z0-9_";
	case 's':
		return " \t\r\n\v\f";
	default:
		return NULL;
	}
}

/* What an escaped letter stands for; '\0': nothing we know. */
static char escaped_control(char c)
{
	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	default:
		return '\0';
	}
}

/* After a backslash, outside of brackets. */
static int translate_escape(struct translation *t)
{
	char c = *t->p++, control = escaped_control(c);
	const char lower[] = { (char)tolower((unsigned char)c), '\0' };
	const char *members = class_members(*lower);

	if (members) {
		put_text(t, isupper((unsigned char)c) ? "[^" : "[");
		put_text(t, members);
		put_text(t, "]");
	} else if (control) {
		put(t, &control, 1);
	} else if (c == 'b' || c == 'B') {
		put_text(t, c == 'b' ? "\\b" : "\\B");
	} else if (c == 'A' || c == 'z' || c == 'Z') {
		put_text(t, c == 'A' ? "^" : "$");
	} else if (c >= '1' && c <= '9') {
		return unsupported(t, "back references");
	} else if (isalnum((unsigned char)c)) {
		return unsupported(t, "this escape");
	} else {
		if (strchr(".[]{}()*+?^$|\\", c))
			put_text(t, "\\");
		put(t, &c, 1);
	}
	return 0;
}

/* What the brackets hold, sorted by how regcomp(3) wants it. */
struct bracket {
	char ascii[OUT_MAX];
	size_t ascii_len;
	char wide[OUT_MAX]; /* "|" and a character of several bytes, … */
	size_t wide_len;
	bool negated, has_close, has_dash, has_caret;
};

static int bracket_member(struct translation *t, struct bracket *b)
{
	size_t n = char_len(t->p, t->end);
	char c = *t->p;

	if (n > 1 || (c & 0x80)) {
		b->wide[b->wide_len++] = '|';
		memcpy(b->wide + b->wide_len, t->p, n);
		b->wide_len += n;
		t->p += n;
		return t->p < t->end && *t->p == '-' && t->p + 1 < t->end &&
				       t->p[1] != ']'
			       ? unsupported(t, "ranges of such characters")
			       : 0;
	}
	t->p++;
	if (c == '[' && t->p < t->end && strchr(":.=", *t->p))
		return unsupported(t, "such a list in brackets");
	b->ascii[b->ascii_len++] = c;
	return 0;
}

static int bracket_escape(struct translation *t, struct bracket *b)
{
	const char *members;
	char c, control;

	if (t->p == t->end)
		return malformed(t, "a backslash at the end");
	c = *t->p++;
	members = class_members(c);
	control = escaped_control(c);
	if (members) {
		memcpy(b->ascii + b->ascii_len, members, strlen(members));
		b->ascii_len += strlen(members);
	} else if (c == ']') {
		b->has_close = true;
	} else if (c == '-') {
		b->has_dash = true;
	} else if (c == '^') {
		b->has_caret = true;
	} else if (control) {
		b->ascii[b->ascii_len++] = control;
	} else if (isalnum((unsigned char)c) || (c & 0x80)) {
		return unsupported(t, "this escape in brackets");
	} else {
		b->ascii[b->ascii_len++] = c;
	}
	return 0;
}

static int put_bracket(struct translation *t, const struct bracket *b)
{
	bool has_ascii = b->ascii_len > 0 || b->has_close || b->has_dash;
	bool is_dash_first;

	if (b->wide_len > 0 && b->negated)
		return unsupported(t, "a negated list of such characters");
	if (!has_ascii && b->has_caret && !b->negated && b->wide_len == 0) {
		put_text(t, "\\^");
		return 0;
	}
	if (!has_ascii && b->wide_len == 0 && !b->has_caret)
		return malformed(t, "empty brackets");
	if (b->wide_len > 0)
		put_text(t, "(");
	if (has_ascii || b->negated) {
		is_dash_first = b->ascii_len == 0 && !b->has_close;
		put_text(t, b->negated ? "[^" : "[");
		put_text(t, b->has_close ? "]" : "");
		put_text(t, b->has_dash && is_dash_first ? "-" : "");
		put(t, b->ascii, b->ascii_len);
		put_text(t, b->has_caret ? "^" : "");
		put_text(t, b->has_dash && !is_dash_first ? "-" : "");
		put_text(t, "]");
		put(t, b->wide, b->wide_len);
	} else {
		if (b->has_caret)
			put_text(t, "\\^|");
		put(t, b->wide + 1, b->wide_len - 1);
	}
	put_text(t, b->wide_len > 0 ? ")" : "");
	return 0;
}

static int translate_bracket(struct translation *t)
{
	struct bracket b = { 0 };
	int r = 0;

	if (t->p < t->end && *t->p == '^') {
		b.negated = true;
		t->p++;
	}
	while (r == 0 && t->p < t->end && *t->p != ']') {
		if (*t->p == '\\') {
			t->p++;
			r = bracket_escape(t, &b);
		} else if (*t->p == '^' && b.ascii_len == 0) {
			b.has_caret = true;
			t->p++;
		} else {
			r = bracket_member(t, &b);
		}
	}
	if (r < 0)
		return r;
	if (t->p == t->end)
		return malformed(t, "'[' without ']'");
	t->p++;
	return put_bracket(t, &b);
}

/* "(?": groups without a number and the switch for case; no look-around. */
static int translate_group(struct translation *t)
{
	size_t left = (size_t)(t->end - t->p);

	if (left >= 2 && memcmp(t->p, "?:", 2) == 0) {
		t->p += 2;
		put_text(t, "(");
		return 0;
	}
	if (left >= 3 && memcmp(t->p, "?i)", 3) == 0 && t->len == 0) {
		t->p += 3;
		t->ignores_case = true;
		return 0;
	}
	if (left >= 1 && *t->p == '?')
		return unsupported(t, "lookaheads, lookbehinds and named "
				      "groups");
	put_text(t, "(");
	return 0;
}

/* {n}, {n,} or {n,m} after the brace; anything else makes it a character. */
static int translate_repeat(struct translation *t)
{
	const char *p = t->p;
	unsigned int lo = 0, hi = 0;
	bool has_hi = false;

	for (; p < t->end && isdigit((unsigned char)*p) && lo < 1000; p++)
		lo = lo * 10 + (unsigned int)(*p - '0');
	if (p == t->p) {
		put_text(t, "\\{");
		return 0;
	}
	if (p < t->end && *p == ',')
		for (p++; p < t->end && isdigit((unsigned char)*p) && hi < 1000;
		     p++, has_hi = true)
			hi = hi * 10 + (unsigned int)(*p - '0');
	if (p == t->end || *p != '}') {
		put_text(t, "\\{");
		return 0;
	}
	if (has_hi && hi < lo)
		return malformed(t, "a repetition from more to less");
	hi = has_hi ? hi : lo + 1;
	t->repeats *= hi > 0 ? hi : 1;
	if (lo > 255 || hi > 255 || t->repeats > REPEAT_TOTAL_MAX)
		return unsupported(t, "so many repetitions");
	put_text(t, "{");
	put(t, t->p, (size_t)(p + 1 - t->p));
	t->p = p + 1;
	return 0;
}

/* A lazy quantifier finds another text, but not another answer. */
static void skip_lazy(struct translation *t)
{
	if (t->p < t->end && *t->p == '?')
		t->p++;
}

static int translate_one(struct translation *t)
{
	size_t n = char_len(t->p, t->end);
	char c = *t->p;
	int r = 0;

	if (n > 1 || (c & 0x80)) { /* a quantifier is meant for all of it */
		put_text(t, "(");
		put(t, t->p, n);
		put_text(t, ")");
		t->p += n;
		return 0;
	}
	t->p++;
	if (c == '\\')
		return t->p < t->end ? translate_escape(t)
				     : malformed(t, "a backslash at the end");
	if (c == '[')
		return translate_bracket(t);
	if (c == '(')
		return translate_group(t);
	if (c == '{')
		r = translate_repeat(t);
	else
		put(t, &c, 1);
	if (r == 0 && strchr("*+?", c))
		skip_lazy(t);
	else if (r == 0 && c == '{' && t->out[t->len - 1] == '}')
		skip_lazy(t);
	return r;
}

int filter_regex_compile(const char *pattern, size_t len, regex_t *ret,
			 const char **why)
{
	struct translation t = { .p = pattern,
				 .end = pattern + len,
				 .repeats = 1 };
	int r = 0;

	*why = "it is malformed";
	if (len == 0 || len > FILTER_PATTERN_MAX ||
	    memchr(pattern, '\0', len)) {
		*why = "it is empty or longer than 256 bytes";
		return -EINVAL;
	}
	while (r == 0 && t.p < t.end)
		r = translate_one(&t);
	if (r < 0) {
		*why = t.why;
		return r;
	}
	t.out[t.len] = '\0';
	r = regcomp(ret, t.out,
		    REG_EXTENDED | REG_NOSUB |
			    (t.ignores_case ? REG_ICASE : 0));
	if (r == REG_ESPACE)
		return -ENOMEM;
	return r == 0 ? 0 : -EINVAL;
}
