/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/wire.h"

#include <errno.h>
#include <string.h>

void rcur_init(struct rcur *c, const void *buf, size_t len)
{
	*c = (struct rcur){ .p = buf, .left = len };
}

const uint8_t *rcur_view(struct rcur *c, size_t len)
{
	const uint8_t *p = c->p;

	if (c->failed || len > c->left) {
		c->failed = true;
		return NULL;
	}
	if (len) {
		c->p += len;
		c->left -= len;
	}
	return p;
}

void rcur_bytes(struct rcur *c, void *dst, size_t len)
{
	const uint8_t *p = rcur_view(c, len);

	if (!len)
		return;
	if (p)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

void rcur_skip(struct rcur *c, size_t len)
{
	rcur_view(c, len);
}

static uint64_t read_le(struct rcur *c, size_t len)
{
	uint8_t b[8];
	uint64_t v = 0;

	rcur_bytes(c, b, len);
	for (size_t i = len; i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

static uint64_t read_be(struct rcur *c, size_t len)
{
	uint8_t b[8];
	uint64_t v = 0;

	rcur_bytes(c, b, len);
	for (size_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

uint8_t rcur_u8(struct rcur *c)
{
	return (uint8_t)read_le(c, 1);
}

uint16_t rcur_u16(struct rcur *c)
{
	return (uint16_t)read_le(c, 2);
}

uint32_t rcur_u32(struct rcur *c)
{
	return (uint32_t)read_le(c, 4);
}

uint64_t rcur_u64(struct rcur *c)
{
	return read_le(c, 8);
}

uint16_t rcur_u16_be(struct rcur *c)
{
	return (uint16_t)read_be(c, 2);
}

uint32_t rcur_u32_be(struct rcur *c)
{
	return (uint32_t)read_be(c, 4);
}

size_t rcur_str(struct rcur *c, char *dst, size_t cap, size_t max)
{
	size_t len = rcur_u16(c);
	const uint8_t *p;

	if (cap)
		dst[0] = '\0';
	if (len > max || len >= cap)
		c->failed = true;
	p = rcur_view(c, len);
	if (!p || !len)
		return 0;
	if (memchr(p, 0, len)) {
		c->failed = true;
		return 0;
	}
	memcpy(dst, p, len);
	dst[len] = '\0';
	return len;
}

int rcur_finish(const struct rcur *c)
{
	return c->failed || c->left ? -EBADMSG : 0;
}

void wcur_init(struct wcur *w, void *buf, size_t cap)
{
	*w = (struct wcur){ .base = buf, .cap = cap };
}

void wcur_bytes(struct wcur *w, const void *src, size_t len)
{
	if (w->failed || len > w->cap - w->len) {
		w->failed = true;
		return;
	}
	if (len)
		memcpy(w->base + w->len, src, len);
	w->len += len;
}

static void write_le(struct wcur *w, uint64_t v, size_t len)
{
	uint8_t b[8];

	for (size_t i = 0; i < len; i++, v >>= 8)
		b[i] = (uint8_t)(v & 0xff);
	wcur_bytes(w, b, len);
}

static void write_be(struct wcur *w, uint64_t v, size_t len)
{
	uint8_t b[8];

	for (size_t i = len; i-- > 0; v >>= 8)
		b[i] = (uint8_t)(v & 0xff);
	wcur_bytes(w, b, len);
}

void wcur_u8(struct wcur *w, uint8_t v)
{
	write_le(w, v, 1);
}

void wcur_u16(struct wcur *w, uint16_t v)
{
	write_le(w, v, 2);
}

void wcur_u32(struct wcur *w, uint32_t v)
{
	write_le(w, v, 4);
}

void wcur_u64(struct wcur *w, uint64_t v)
{
	write_le(w, v, 8);
}

void wcur_u16_be(struct wcur *w, uint16_t v)
{
	write_be(w, v, 2);
}

void wcur_u32_be(struct wcur *w, uint32_t v)
{
	write_be(w, v, 4);
}

void wcur_str(struct wcur *w, const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len > max || len > UINT16_MAX) {
		w->failed = true;
		return;
	}
	wcur_u16(w, (uint16_t)len);
	wcur_bytes(w, s, len);
}

int wcur_finish(const struct wcur *w)
{
	return w->failed ? -EMSGSIZE : 0;
}
