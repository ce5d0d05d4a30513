/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/diag_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/text.h"

#define TAB_STOP 8U
#define LEAD_CELLS 50U /* kept before the caret of a clipped line */

static const char word_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+";

struct line {
	char *s; /* masked copy */
	size_t len;
	size_t caret; /* offset of the place, <= len */
	size_t caret_end;
};

/* Inclusive ranges of two cells: East Asian wide, and emoji. */
static const struct {
	uint32_t lo, hi;
} wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f1e6, 0x1f1ff },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};

static size_t char_len(const char *s, const char *end)
{
	size_t n = 1;

	while (n < 4 && s + n < end && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static uint32_t char_code(const char *s, size_t n)
{
	static const unsigned char lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)s[0] & lead_mask[n];
	size_t i;

	for (i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

static unsigned int char_cells(const char *s, size_t n)
{
	uint32_t code = char_code(s, n);
	size_t i;

	if (n == 1)
		return 1;
	if ((code >= 0x300 && code <= 0x36f) ||
	    (code >= 0xfe00 && code <= 0xfe0f))
		return 0; /* combining marks, variation selectors */
	for (i = 0; i < ARRAY_LEN(wide); i++)
		if (code >= wide[i].lo && code <= wide[i].hi)
			return 2;
	return 1;
}

static size_t find_line(const struct config_file *f, uint32_t number)
{
	const char *p = f->text, *end = f->text + f->len, *nl;

	while (number-- > 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return f->len;
		p = nl + 1;
	}
	return (size_t)(p - f->text);
}

static size_t find_column(const char *s, const char *end, unsigned int column)
{
	const char *p = s;

	while (column-- > 1 && p < end)
		p += char_len(p, end);
	return (size_t)(p - s);
}

static bool ends_link(char c)
{
	return c == '\'' || c == '"' || c == ' ' || c == '\t' || c == '\r' ||
	       c == '\n';
}

/* Schemes whose whole body is a secret, encoded. */
static bool is_opaque_scheme(const char *line, const char *colon)
{
	static const char *const opaque[] = { "ss", "ssr", "vmess",
					      "shadowsocks", "shadowsocksr" };
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(opaque); i++) {
		n = strlen(opaque[i]);
		if ((size_t)(colon - line) >= n &&
		    strncasecmp(colon - n, opaque[i], n) == 0 &&
		    ((size_t)(colon - line) == n ||
		     !(colon[-(ptrdiff_t)n - 1] >= 'a' &&
		       colon[-(ptrdiff_t)n - 1] <= 'z')))
			return true;
	}
	return false;
}

/* Passwords and tokens are not for logs: userinfo, query, opaque bodies. */
static void mask_secrets(char *s, size_t len)
{
	char *end = s + len, *p = s, *stop, *at, *q, *colon;

	while ((colon = memmem(p, (size_t)(end - p), "://", 3))) {
		p = colon + 3;
		for (stop = p; stop < end && !ends_link(*stop); stop++)
			;
		at = memrchr(p, '@', (size_t)(stop - p));
		q = memchr(p, '?', (size_t)(stop - p));
		if (at)
			memset(p, '*', (size_t)(at - p));
		else if (is_opaque_scheme(s, colon))
			memset(p, '*', (size_t)(stop - p));
		if (q && colon > s && strchr("psPS", colon[-1]))
			memset(q + 1, '*', (size_t)(stop - q - 1));
		p = stop;
	}
}

static bool line_take(const struct config_file *f, const struct ast_text *at,
		      struct line *ret)
{
	bool has_text = at->s && at->s >= f->text && at->s <= f->text + f->len;
	size_t begin, off, len;
	const char *nl;

	begin = find_line(f, at->pos.line);
	nl = memchr(f->text + begin, '\n', f->len - begin);
	len = (nl ? (size_t)(nl - f->text) : f->len) - begin;
	off = has_text ? (size_t)(at->s - f->text) - (at->quote ? 1 : 0) - begin
		       : find_column(f->text + begin, f->text + begin + len,
				     at->pos.column);
	off = MIN(off, len);
	ret->s = malloc(len + 1);
	if (!ret->s)
		return false;
	memcpy(ret->s, f->text + begin, len);
	ret->s[len] = '\0';
	mask_secrets(ret->s, len);
	ret->len = len;
	ret->caret = off;
	ret->caret_end = off;
	if (has_text)
		ret->caret_end += at->len + (at->quote ? 2 : 0);
	else
		ret->caret_end += strspn(ret->s + off, word_chars);
	ret->caret_end = MIN(ret->caret_end, len);
	return true;
}

/* Where a line too long to show begins: LEAD_CELLS characters before the caret,
 * at a character's first byte. */
static size_t clip_start(const struct line *l)
{
	size_t i = l->caret, back = 0;

	if (l->caret <= LEAD_CELLS || l->len <= DIAG_SOURCE_CELLS)
		return 0;
	while (i > 0 && back < LEAD_CELLS) {
		i--;
		if (((unsigned char)l->s[i] & 0xc0) != 0x80)
			back++;
	}
	return i;
}

void diag_source_fill(struct config_diag *d, const struct config_file *f,
		      const struct ast_text *at)
{
	/* a cell is at most one character, cleaned to at most 4 bytes */
	char out[DIAG_SOURCE_CELLS * 8 + 64];
	auto_free char *line = NULL;
	size_t i, n, used = 0, cells = 0, width, caret_end = 0;
	struct line l = { 0 };

	if (!line_take(f, at, &l))
		return;
	line = l.s;
	i = clip_start(&l);
	if (i > 0) {
		memcpy(out, "...", 3);
		used = cells = 3;
	}
	for (;
	     i < l.len && cells < DIAG_SOURCE_CELLS && used < sizeof(out) - 32;
	     i += n) {
		n = char_len(l.s + i, l.s + l.len);
		if (i == l.caret)
			d->caret = (uint32_t)cells;
		width = l.s[i] == '\t' ? TAB_STOP - cells % TAB_STOP
				       : char_cells(l.s + i, n);
		if (l.s[i] == '\t') {
			memset(out + used, ' ', width);
			used += width;
		} else if (l.s[i] != '\r' || i + 1 < l.len) {
			used += text_clean(out + used, sizeof(out) - used,
					   l.s + i, n);
		}
		cells += width;
		if (i < l.caret_end)
			caret_end = cells;
	}
	if (l.caret >= i)
		d->caret = (uint32_t)cells;
	if (i < l.len) {
		memcpy(out + used, "...", 3);
		used += 3;
	}
	out[used] = '\0';
	d->caret_len = caret_end > d->caret ? (uint32_t)caret_end - d->caret
					    : 1;
	d->source = strdup(out);
}
