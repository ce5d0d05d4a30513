/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside: made safe, and read as what the small parsers know. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Clean text is clean already: a second washing changes nothing. */
static void wash_twice(const uint8_t *data, size_t len)
{
	char once[256], twice[256];
	size_t n = text_clean(once, sizeof(once), (const char *)data, len);

	assert(n < sizeof(once) && once[n] == '\0');
	for (size_t i = 0; i < n; i++)
		assert((unsigned char)once[i] >= 0x20 && once[i] != 0x7f);
	assert(text_clean(twice, sizeof(twice), once, n) == n);
	assert(memcmp(once, twice, n) == 0);
}

static void parse(const char *s)
{
	static const char *const names[] = { "random", "min", "fixed", NULL };
	char shown[ADDR_STRLEN];
	struct prefix p;
	uint64_t u;
	int64_t ns, again;
	bool b;

	if (text_parse_duration(s, &ns) == 0 && ns >= 0) {
		text_format_duration((uint64_t)ns, shown);
		assert(text_parse_duration(shown, &again) == 0 && again == ns);
	}
	if (text_parse_uint(s, 1000, &u) == 0)
		assert(u <= 1000);
	text_parse_size(s, &u);
	text_parse_bool(s, &b);
	text_suggest(s, names);
	if (prefix_parse(s, &p) == 0) {
		assert(prefix_contains(&p, &p.addr));
		addr_format(&p.addr, shown);
		assert(prefix_parse(shown, &p) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	wash_twice(data, len);
	parse(text);
	free(text);
	return 0;
}
