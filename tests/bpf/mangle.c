/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/mangle.h"

#include <netinet/in.h>
#include <string.h>

#include "common/base.h"

#define LEN_MIN 15 /* test runs refuse frames without anything in them */
#define LEN_SOUND_MAX 440

static bool is_v6(const struct frame *f)
{
	return f->b[f->l3] >> 4 == 6;
}

/* Whether there is room, and a header to insert something behind. */
static bool may_grow(const struct frame *f)
{
	return f->len <= LEN_SOUND_MAX &&
	       f->len >= f->l3 + (is_v6(f) ? 40 : 20);
}

static uint8_t any_byte(struct rulegen *g)
{
	return (uint8_t)rulegen_random(g, 256);
}

static void fill(struct rulegen *g, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = any_byte(g);
}

/* --- changes --- */

static void cut(struct rulegen *g, struct frame *f)
{
	if (f->len > LEN_MIN)
		f->len = LEN_MIN +
			 rulegen_random(g, (uint32_t)(f->len - LEN_MIN));
}

static void flip(struct rulegen *g, struct frame *f)
{
	f->b[rulegen_random(g, (uint32_t)f->len)] = any_byte(g);
}

static void wrong_length(struct rulegen *g, struct frame *f)
{
	static const uint16_t lengths[] = { 0,	1,  4,	7,  8,	 15,   19,
					    20, 27, 28, 39, 40,	 41,   47,
					    48, 59, 60, 61, 600, 1500, 65535 };
	uint16_t n = lengths[rulegen_random(g, ARRAY_LEN(lengths))];
	size_t at = f->l3 + (is_v6(f) ? 4 : 2);

	f->b[at] = (uint8_t)(n >> 8);
	f->b[at + 1] = (uint8_t)n;
}

static void wrong_version(struct rulegen *g, struct frame *f)
{
	f->b[f->l3] = any_byte(g);
}

static void options(struct rulegen *g, struct frame *f)
{
	uint8_t nops[40];
	uint32_t words = 1 + rulegen_random(g, 10);

	if (is_v6(f) || (f->b[f->l3] & 15) != 5 || !may_grow(f))
		return;
	memset(nops, 1, sizeof(nops));
	f->b[f->l3] = (uint8_t)(0x45 + words);
	frame_insert(f, f->l3 + 20, nops, words * 4UL);
}

static void tags(struct rulegen *g, struct frame *f)
{
	static const uint8_t types[][2] = { { 0x81, 0 },
					    { 0x88, 0xa8 },
					    { 0x91, 0 } };
	uint32_t n = 1 + rulegen_random(g, 3);
	uint8_t tag[4];

	while (f->has_mac && n-- && may_grow(f)) {
		fill(g, tag, sizeof(tag));
		memcpy(tag,
		       types[rulegen_random(g, 8) ? rulegen_random(g, 2) : 2],
		       2);
		frame_insert(f, 12, tag, sizeof(tag));
	}
}

/* Extension headers in front of the others; some lie about their length. */
static void extend(struct rulegen *g, struct frame *f)
{
	static const uint8_t types[] = { 0, 43, 60, 135, 51, 44, 50, 59, 139 };
	uint32_t n = 1 + rulegen_random(g, rulegen_random(g, 4) ? 3 : 10), size;
	uint8_t h[24], type;

	while (is_v6(f) && n-- && may_grow(f)) {
		type = types[rulegen_random(g, rulegen_random(g, 6) ? 5 : 9)];
		fill(g, h, sizeof(h));
		size = rulegen_random(g, 3);
		h[0] = f->b[f->l3 + 6];
		if (type == 44)
			memset(h + 2, 0, 2);
		if (type == 44 || type == 51 || rulegen_random(g, 12))
			h[1] = (uint8_t)(type == 51 ? size * 2 : size);
		f->b[f->l3 + 6] = type;
		frame_insert(f, f->l3 + 40, h,
			     type == 44 ? 8 : (size + 1) * 8UL);
	}
}

static void fragment4(struct rulegen *g, struct frame *f, bool is_first)
{
	uint8_t *ip = f->b + f->l3;

	fill(g, ip + 4, 4);
	if (!is_first)
		return;
	ip[6] = (uint8_t)((ip[6] & 0xe0) | 0x20);
	ip[7] = 0;
}

static void fragment6(struct rulegen *g, struct frame *f, bool is_first)
{
	uint8_t h[8];

	fill(g, h, sizeof(h));
	h[0] = f->b[f->l3 + 6];
	if (is_first || rulegen_random(g, 2)) {
		h[2] = 0;
		h[3] = is_first ? 1 : h[3] & 7;
	}
	f->b[f->l3 + 6] = 44;
	frame_insert(f, f->l3 + 40, h, sizeof(h));
}

static void fragment(struct rulegen *g, struct frame *f)
{
	bool is_first = rulegen_random(g, 2);

	if (!may_grow(f))
		return;
	if (is_v6(f))
		fragment6(g, f, is_first);
	else
		fragment4(g, f, is_first);
}

static void other_protocol(struct rulegen *g, struct frame *f)
{
	static const uint8_t known[] = { 1, 2, 4, 6, 17, 41, 47, 50, 58, 132 };
	size_t at = f->l3 + (is_v6(f) ? 6 : 9);

	f->b[at] = rulegen_random(g, 3)
			   ? known[rulegen_random(g, ARRAY_LEN(known))]
			   : any_byte(g);
}

static void other_station(struct rulegen *g, struct frame *f)
{
	if (!f->has_mac)
		return;
	if (rulegen_random(g, 2))
		memset(f->b, 0xff, 6);
	else
		fill(g, f->b, 6);
}

static void special_destination(struct rulegen *g, struct frame *f)
{
	static const uint8_t v4[][4] = {
		{ 224, 0, 0, 251 },	{ 255, 255, 255, 255 },
		{ 223, 255, 255, 255 }, { 127, 0, 0, 1 },
		{ 128, 0, 0, 1 },	{ 169, 254, 1, 1 },
		{ 169, 253, 1, 1 },	{ 0, 0, 0, 0 },
		{ 192, 0, 2, 1 }
	};
	static const uint8_t v6[][2] = { { 0xff, 2 },	 { 0xff, 0 },
					 { 0xfe, 0x80 }, { 0xfe, 0xbf },
					 { 0xfe, 0xc0 }, { 0xfe, 0x7f } };

	if (is_v6(f))
		memcpy(f->b + f->l3 + 24, v6[rulegen_random(g, ARRAY_LEN(v6))],
		       2);
	else
		memcpy(f->b + f->l3 + 16, v4[rulegen_random(g, ARRAY_LEN(v4))],
		       4);
}

static void flags(struct rulegen *g, struct frame *f)
{
	if (f->l4 + 13 < f->len)
		f->b[f->l4 + 13] = any_byte(g);
}

/* Nothing is left but what kind of packet it claims to be. */
static void garbage(struct rulegen *g, struct frame *f)
{
	if (rulegen_random(g, 4) == 0)
		fill(g, f->b + f->l3 + 1, f->len - f->l3 - 1);
}

static void (*const changes[])(struct rulegen *g, struct frame *f) = {
	cut,
	flip,
	wrong_length,
	wrong_version,
	options,
	tags,
	extend,
	fragment,
	other_protocol,
	flags,
	garbage,
	other_station,
	special_destination,
	fragment,
	extend,
};

/* --- frames --- */

void mangle_sound(struct rulegen *g, struct frame *f)
{
	struct ruleset_query q;
	bool has_mac = rulegen_random(g, 3);

	rulegen_query_lan(g, &q);
	if (!has_mac && q.src.family == 4)
		/* a test run takes the type of packet from bytes 12 and 13 */
		memcpy(q.src.b + 12, "\x08\x00", 2);
	else if (!has_mac)
		memcpy(q.src.b + 4, "\x86\xdd", 2);
	frame_make(f, &q, rulegen_random(g, 4) ? RIG_SYN : RIG_ACK, has_mac);
}

void mangle_frame(struct rulegen *g, struct frame *f)
{
	uint32_t n = rulegen_random(g, 4);

	mangle_sound(g, f);
	while (n-- && f->len > f->l3 + 20)
		changes[rulegen_random(g, ARRAY_LEN(changes))](g, f);
}

bool mangle_later(struct frame *f)
{
	uint8_t *at = f->b + f->l3;

	if (is_v6(f)) {
		if (at[6] != 44)
			return false;
		at[42] = 1; /* 256 bytes on, of the same packet */
		at[43] = 0;
		return true;
	}
	at[6] = 0x20;
	at[7] = 32;
	return true;
}
