/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "supervisor/kernel_ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kernel_ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		abort();
	if (kernel_ids_decode(ids, data, len) == 0)
		kernel_ids_target(ids, 1);
	kernel_ids_clear(ids);
	free(ids);
	return 0;
}
