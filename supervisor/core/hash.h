/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small hashes that spread things. Not for hostile keys. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* splitmix64's finaliser: every bit of @x reaches every bit of the result. */
static inline uint64_t hash_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
	return hash_mix(hash_mix(a) ^ b);
}

/* FNV-1a; start with @seed 0 or go on from an earlier result. */
static inline uint64_t hash_bytes(uint64_t seed, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t h = seed ? seed : 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}
