/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An expression of somebody's, and a name: whatever both are, it ends soon. The
 * input is the name, a line feed, and the expression. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/compile/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	char why[160], folded[NAMESET_NAME_MAX + 1];
	struct regex *r = NULL;
	size_t name_len;
	ssize_t k;

	if (!end)
		return 0;
	name_len = (size_t)(end - data);
	if (regex_new(&r, (const char *)end + 1, len - name_len - 1, why,
		      sizeof(why)) < 0) {
		if (r || !why[0])
			abort();
		return 0;
	}
	k = nameset_fold((const char *)data, name_len, folded);
	if (k > 0)
		regex_match(r, folded, (size_t)k);
	regex_free(&r);
	return 0;
}
