/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The date of a certificate, as its bytes stand there. */
#include <stdlib.h>

#include "worker/net/tls_ctx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int64_t t = tls_parse_time(data, len);

	/* The years 0 to 9999, whatever was in it. */
	if (t < -62167219200 || t > 253402300799 + 86400)
		abort();
	return 0;
}
