/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "supervisor/confirm_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_diags struct config_diags diags = { .count = 0 };
	struct confirm_clock now = { .wall_ms = 1, .boot_ms = 1 };
	struct confirm_record r = { .file_count = 0 };
	auto_config struct config *c = NULL;

	if (confirm_record_decode(&r, data, len) == 0) {
		confirm_record_left_ms(&r, &now);
		confirm_record_parse(&r, &c, &diags);
	}
	confirm_record_clear(&r);
	return 0;
}
