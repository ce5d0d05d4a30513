/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer, in pieces; the first byte says how long they are. */
#include "worker/net/http1.h"

#include "common/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http1 *h = NULL;
	size_t step, body_len;
	ssize_t n = 1;

	if (len == 0 || http1_new(&h, data[0] & 1) < 0)
		return 0;
	step = 1 + data[0] / 2;
	for (data++, len--; len && n > 0; data += n, len -= (size_t)n)
		n = http1_feed(h, data, MIN(step, len));
	http1_end(h);
	http1_header(h, "location");
	http1_date(h);
	http1_body(h, &body_len);
	http1_free(&h);
	return 0;
}
