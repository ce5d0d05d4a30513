/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link of any bytes, as a node and as a monitor. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config/arena.h"
#include "supervisor/config/config_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_arena struct arena *a = arena_new();
	struct config_monitor m;
	struct config_node n;
	char why[192] = "";
	int r;

	if (!a)
		return 0;
	r = config_link_parse(a, (const char *)data, len, &n, why, sizeof(why));
	if (r == 0 && (!n.name || !n.scheme_text || strlen(n.link) > len ||
		       (n.scheme == SCHEME_UNSUPPORTED) != !!n.reason))
		abort();
	if (r != 0 && (r != -EINVAL || why[0] == '\0'))
		abort();
	why[0] = '\0';
	r = config_monitor_parse(a, (const char *)data, len, &m, why,
				 sizeof(why));
	if (r == 0 && (!m.host || m.port == 0))
		abort();
	if (r != 0 && (r != -EINVAL || why[0] == '\0'))
		abort();
	return 0;
}
