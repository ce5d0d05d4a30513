/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of geo data, made in memory: the other side of supervisor/compile/geo. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct dat {
	uint8_t bytes[8192];
	size_t len;
};

void dat_varint(struct dat *d, uint64_t v);
void dat_field_int(struct dat *d, uint32_t field, uint64_t v);
void dat_field_bytes(struct dat *d, uint32_t field, const void *p, size_t len);
void dat_field_text(struct dat *d, uint32_t field, const char *s);
/* @attributes: "a b", or NULL. */
void dat_domain(struct dat *entry, unsigned int type, const char *value,
		const char *attributes);
/* "192.0.2.0/24" */
void dat_cidr(struct dat *entry, const char *prefix);
/* The entry at the end of the list. */
void dat_entry(struct dat *list, const struct dat *entry);
/* A descriptor of a file with these bytes; aborts the test if it cannot be. */
int dat_fd(const void *bytes, size_t len);
