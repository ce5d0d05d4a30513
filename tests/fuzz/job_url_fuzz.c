/* SPDX-License-Identifier: GPL-2.0-or-later */
/* URLs of checks and upstreams, and the jobs that are built of them. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/core/job_build.h"
#include "supervisor/core/job_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct config_node direct = { .scheme = SCHEME_DIRECT };
	char *text = malloc(len + 1), *items[1];
	struct config_upstream u = { .url = text };
	struct config c = { 0 };
	enum check_class classes[2];
	struct job_url url;
	struct job_plan p;

	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	if (job_url_split(text, &url) == 0 &&
	    (url.host_len == 0 || url.path + url.path_len > text + len))
		abort();
	items[0] = text;
	c.global.tcp_check_url.items = c.global.udp_check_dns.items = items;
	c.global.tcp_check_url.count = c.global.udp_check_dns.count = 1;
	c.supervisor.quic_check_url = text;
	for (unsigned int k = 0; k < CHECK_NODE_COUNT; k++)
		job_build_node(&p, &c, &direct, k);
	if (job_build_upstream_classes(&u, classes) > 0)
		job_build_upstream(&p, &u, classes[0], 4);
	free(text);
	return 0;
}
