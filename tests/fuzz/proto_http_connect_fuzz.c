/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/proto_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	proto_fuzz(&proto_http_connect, data, len);
	return 0;
}
