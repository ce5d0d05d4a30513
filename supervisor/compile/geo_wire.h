/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The framing of protocol buffers: tags, varints, lengths. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum geo_wire_type { GEO_VARINT = 0, GEO_I64 = 1, GEO_LEN = 2, GEO_I32 = 5 };

struct geo_field {
	uint32_t number;
	uint32_t type;	     /* enum geo_wire_type */
	uint64_t value;	     /* of a varint; the length of GEO_LEN */
	const uint8_t *data; /* of GEO_LEN */
};

/* Bytes that hold fields, one behind the other. */
struct geo_cursor {
	const uint8_t *p, *end;
};

/* A varint at @p, before @end: the bytes it takes, or 0 if it is cut off or
 * longer than 64 bits. */
size_t geo_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret);
/* 1 and the next field, 0 at the end, -EBADMSG. */
int geo_next(struct geo_cursor *c, struct geo_field *ret);
