/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small parsers of common/text.h: numbers with units, as Go reads them. */
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Longest names first where one begins with another. */
static const struct unit duration_units[] = {
	{ "ns", 1 },
	{ "us", NS_PER_US },
	{ "\xc2\xb5s", NS_PER_US }, /* U+00B5 micro sign */
	{ "\xce\xbcs", NS_PER_US }, /* U+03BC Greek mu */
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Unit letters run until the next digit or dot; that run must be a unit. */
static int take_unit(const char **s, uint64_t *ret_factor)
{
	size_t n = strcspn(*s, "0123456789.");
	const struct unit *u;

	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		u = &duration_units[i];
		if (strlen(u->name) == n && memcmp(*s, u->name, n) == 0) {
			*s += n;
			*ret_factor = u->factor;
			return 0;
		}
	}
	return -EINVAL;
}

/* One "12.5s" of a duration, added to *sum. */
static int take_term(const char **s, unsigned __int128 *sum)
{
	unsigned __int128 whole = 0, frac = 0, scale = 1;
	bool has_digits = is_digit(**s);
	uint64_t factor;
	int r;

	for (; is_digit(**s); (*s)++) {
		whole = whole * 10 + (unsigned int)(**s - '0');
		if (whole > UINT64_MAX)
			return -ERANGE;
	}
	if (**s == '.') {
		(*s)++;
		has_digits |= is_digit(**s);
		for (; is_digit(**s); (*s)++) {
			if (scale > NS_PER_S * NS_PER_S)
				continue; /* below any unit's resolution */
			frac = frac * 10 + (unsigned int)(**s - '0');
			scale *= 10;
		}
	}
	if (!has_digits)
		return -EINVAL;
	r = take_unit(s, &factor);
	if (r < 0)
		return r;
	*sum += whole * factor + frac * factor / scale;
	return *sum > (unsigned __int128)INT64_MAX + 1 ? -ERANGE : 0;
}

int text_parse_duration(const char *s, int64_t *ret_ns)
{
	bool is_negative = *s == '-';
	unsigned __int128 sum = 0;
	int r;

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (*s == '\0')
		return -EINVAL;
	while (*s) {
		r = take_term(&s, &sum);
		if (r < 0)
			return r;
	}
	if (!is_negative && sum > INT64_MAX)
		return -ERANGE;
	*ret_ns = is_negative ? (int64_t) - (uint64_t)sum : (int64_t)sum;
	return 0;
}

static unsigned int take_base(const char **s)
{
	const char *p = *s;
	unsigned int base = 8;

	if (p[0] != '0' || p[1] == '\0')
		return 10;
	switch (p[1] | 0x20) {
	case 'x':
		base = 16;
		break;
	case 'b':
		base = 2;
		break;
	case 'o':
		break;
	default: /* 017, 0_17 */
		*s += 1;
		return 8;
	}
	*s += 2;
	return base;
}

static unsigned int digit_value(char c)
{
	if (is_digit(c))
		return (unsigned int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 99;
}

int text_parse_uint(const char *s, uint64_t max, uint64_t *ret)
{
	unsigned int base, d;
	const char *start = s;
	unsigned __int128 v = 0;
	char before;

	base = take_base(&s);
	before = s == start ? '_' : '0'; /* no underscore in front of all */
	if (*s == '\0')
		return -EINVAL;
	for (; *s; before = *s++) {
		if (*s == '_') {
			if (before == '_')
				return -EINVAL;
			continue;
		}
		d = digit_value(*s);
		if (d >= base)
			return -EINVAL;
		if (v <= UINT64_MAX)
			v = v * base + d;
	}
	if (before == '_')
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*ret = (uint64_t)v;
	return 0;
}

int text_parse_size(const char *s, uint64_t *ret)
{
	static const char letters[] = "kmgt";
	unsigned __int128 v = 0;
	const char *letter;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++)
		if (v <= UINT64_MAX)
			v = v * 10 + (unsigned int)(*s - '0');
	letter = *s ? strchr(letters, *s | 0x20) : NULL;
	if (letter) {
		s++;
		v <<= 10 * (letter - letters + 1);
	}
	if (*s && strcasecmp(s, "B") != 0 &&
	    (!letter || strcasecmp(s, "iB") != 0))
		return -EINVAL;
	if (v > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)v;
	return 0;
}

int text_parse_bool(const char *s, bool *ret)
{
	static const char *const yes[] = { "true", "t", "1", "y", "yes", "on" };
	static const char *const no[] = { "false", "f", "0", "n", "no", "off" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcasecmp(s, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return -EINVAL;
}

/* @ns as a decimal of @factor, e.g. "1.5" of 1500 and 1000. */
static int format_fraction(char *buf, size_t cap, uint64_t ns, uint64_t factor)
{
	char digits[24];
	uint64_t frac = ns % factor;
	int n;

	if (frac == 0)
		return snprintf(buf, cap, "%llu",
				(unsigned long long)(ns / factor));
	/* factor + frac prints as "1" and the zero-padded fraction */
	n = snprintf(digits, sizeof(digits), "%llu",
		     (unsigned long long)(factor + frac));
	while (digits[n - 1] == '0')
		n--;
	return snprintf(buf, cap, "%llu.%.*s",
			(unsigned long long)(ns / factor), n - 1, digits + 1);
}

const char *text_format_duration(uint64_t ns, char *buf)
{
	const size_t cap = 32;
	uint64_t h = ns / (3600 * NS_PER_S), m = ns / (60 * NS_PER_S) % 60;
	uint64_t rest = ns % (60 * NS_PER_S), factor = NS_PER_S;
	const char *name = "s";
	int n = 0;

	if (h)
		n += snprintf(buf, cap, "%lluh", (unsigned long long)h);
	if (m)
		n += snprintf(buf + n, cap - n, "%llum", (unsigned long long)m);
	if (rest == 0 && n)
		return buf;
	if (n == 0 && rest && rest < NS_PER_S) {
		factor = rest >= NS_PER_MS   ? NS_PER_MS
			 : rest >= NS_PER_US ? NS_PER_US
					     : 1;
		name = factor == NS_PER_MS   ? "ms"
		       : factor == NS_PER_US ? "us"
					     : "ns";
	}
	n += format_fraction(buf + n, cap - n, rest, factor);
	snprintf(buf + n, cap - n, "%s", name);
	return buf;
}
