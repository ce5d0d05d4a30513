/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of geo data, whatever it holds: its lists, one of each kind walked. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base.h"
#include "supervisor/compile/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int on_domain(void *ctx, const struct geo_domain *d)
{
	size_t *sum = ctx;

	for (size_t i = 0; i < d->len; i++)
		*sum += (unsigned char)d->value[i];
	return 0;
}

static int on_prefix(void *ctx DAE_UNUSED, const struct prefix *p)
{
	if (p->len > (p->addr.family == 4 ? 32 : 128))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const codes[] = { "a", "cn@ads", "test", "zz" };
	struct geo_file *g = NULL;
	struct geo_error e;
	bool inverse;
	size_t sum = 0;
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("geo", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 ||
	    pwrite(fd, data, len, 0) != (ssize_t)len)
		return 0;
	if (geo_open(&g, fd, &e) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		geo_domains(g, codes[i], on_domain, &sum, &e);
		geo_prefixes(g, codes[i], on_prefix, NULL, &inverse, &e);
	}
	geo_free(&g);
	return 0;
}
