/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/geo_wire.h"

#include <errno.h>

#define VARINT_MAX 10 /* bytes */

size_t geo_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < VARINT_MAX && p + i < end; i++) {
		if (i == VARINT_MAX - 1 && p[i] > 1)
			return 0;
		v |= (uint64_t)(p[i] & 0x7f) << 7 * i;
		if (!(p[i] & 0x80)) {
			*ret = v;
			return i + 1;
		}
	}
	return 0;
}

static int read_payload(struct geo_cursor *c, struct geo_field *f)
{
	size_t left = (size_t)(c->end - c->p), n = 0;

	switch (f->type) {
	case GEO_VARINT:
	case GEO_LEN:
		n = geo_varint(c->p, c->end, &f->value);
		if (!n)
			return -EBADMSG;
		c->p += n;
		left -= n;
		n = 0;
		if (f->type == GEO_LEN) {
			if (f->value > left)
				return -EBADMSG;
			f->data = c->p;
			n = (size_t)f->value;
		}
		break;
	case GEO_I64:
		n = 8;
		break;
	case GEO_I32:
		n = 4;
		break;
	default:
		return -EBADMSG;
	}
	if (n > left)
		return -EBADMSG;
	c->p += n;
	return 1;
}

int geo_next(struct geo_cursor *c, struct geo_field *ret)
{
	uint64_t tag;
	size_t n;

	if (c->p == c->end)
		return 0;
	n = geo_varint(c->p, c->end, &tag);
	if (!n || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		return -EBADMSG;
	c->p += n;
	*ret = (struct geo_field){ .number = (uint32_t)(tag >> 3),
				   .type = (uint32_t)(tag & 7) };
	return read_payload(c, ret);
}
