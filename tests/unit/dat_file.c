/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/dat_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/addr.h"

void dat_varint(struct dat *d, uint64_t v)
{
	do {
		if (d->len == sizeof(d->bytes))
			abort();
		d->bytes[d->len++] = (uint8_t)((v & 0x7f) |
					       (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
}

void dat_field_int(struct dat *d, uint32_t field, uint64_t v)
{
	dat_varint(d, (uint64_t)field << 3);
	dat_varint(d, v);
}

void dat_field_bytes(struct dat *d, uint32_t field, const void *p, size_t len)
{
	dat_varint(d, (uint64_t)field << 3 | 2);
	dat_varint(d, len);
	if (sizeof(d->bytes) - d->len < len)
		abort();
	if (len)
		memcpy(d->bytes + d->len, p, len);
	d->len += len;
}

void dat_field_text(struct dat *d, uint32_t field, const char *s)
{
	dat_field_bytes(d, field, s, strlen(s));
}

void dat_domain(struct dat *entry, unsigned int type, const char *value,
		const char *attributes)
{
	struct dat d = { .len = 0 }, a;
	char copy[128], *key, *save = NULL;

	if (type)
		dat_field_int(&d, 1, type);
	dat_field_text(&d, 2, value);
	snprintf(copy, sizeof(copy), "%s", attributes ? attributes : "");
	for (key = strtok_r(copy, " ", &save); key;
	     key = strtok_r(NULL, " ", &save)) {
		a.len = 0;
		dat_field_text(&a, 1, key);
		dat_field_int(&a, 2, 1);
		dat_field_bytes(&d, 3, a.bytes, a.len);
	}
	dat_field_bytes(entry, 2, d.bytes, d.len);
}

void dat_cidr(struct dat *entry, const char *prefix)
{
	struct dat c = { .len = 0 };
	struct prefix p;
	size_t skip;

	if (prefix_parse(prefix, &p) < 0)
		abort();
	skip = p.addr.family == 4 ? 12 : 0;
	dat_field_bytes(&c, 1, p.addr.b + skip, 16 - skip);
	if (p.len)
		dat_field_int(&c, 2, p.len);
	dat_field_bytes(entry, 2, c.bytes, c.len);
}

void dat_entry(struct dat *list, const struct dat *entry)
{
	dat_field_bytes(list, 1, entry->bytes, entry->len);
}

int dat_fd(const void *bytes, size_t len)
{
	int fd = memfd_create("dat", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	return fd;
}
