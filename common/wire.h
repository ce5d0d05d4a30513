/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded cursors over bytes: sticky errors, so fields need no check of their
 * own; finish() says whether everything fitted and nothing was left over.
 * Integers are little endian on our own channel; _be variants are for
 * protocols of the network.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rcur {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct wcur {
	uint8_t *base;
	size_t len, cap;
	bool failed;
};

void rcur_init(struct rcur *c, const void *buf, size_t len);
uint8_t rcur_u8(struct rcur *c);
uint16_t rcur_u16(struct rcur *c);
uint32_t rcur_u32(struct rcur *c);
uint64_t rcur_u64(struct rcur *c);
uint16_t rcur_u16_be(struct rcur *c);
uint32_t rcur_u32_be(struct rcur *c);
/* Copies @len bytes to @dst; zeroes @dst if they are not there. */
void rcur_bytes(struct rcur *c, void *dst, size_t len);
/* @len bytes in place, or NULL; valid as long as the buffer. */
const uint8_t *rcur_view(struct rcur *c, size_t len);
void rcur_skip(struct rcur *c, size_t len);
/*
 * A string with a u16 length in front, at most @max bytes and without NUL, copied
 * with a NUL to @dst (@cap bytes; needs cap > length). Returns its length.
 */
size_t rcur_str(struct rcur *c, char *dst, size_t cap, size_t max);
/* 0 if no read failed and nothing is left, else -EBADMSG. */
int rcur_finish(const struct rcur *c);

void wcur_init(struct wcur *w, void *buf, size_t cap);
void wcur_u8(struct wcur *w, uint8_t v);
void wcur_u16(struct wcur *w, uint16_t v);
void wcur_u32(struct wcur *w, uint32_t v);
void wcur_u64(struct wcur *w, uint64_t v);
void wcur_u16_be(struct wcur *w, uint16_t v);
void wcur_u32_be(struct wcur *w, uint32_t v);
void wcur_bytes(struct wcur *w, const void *src, size_t len);
/* u16 length and bytes; fails if longer than @max. */
void wcur_str(struct wcur *w, const char *s, size_t max);
/* 0, or -EMSGSIZE if something did not fit. */
int wcur_finish(const struct wcur *w);
