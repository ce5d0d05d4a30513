/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/engines.h"

#include <string.h>

#include "common/base.h"
#include "common/log.h"
#include "supervisor/supervisor.h"

static size_t engines_of(const struct prober *p, const struct config *c,
			 struct engine *ret, uint32_t *ret_targets)
{
	uint32_t limit = target_table_limit(p->targets);
	size_t n = 0;

	for (uint32_t i = 0; i < limit; i++) {
		const struct target *t = target_table_get(p->targets, i);
		const struct config_node *node;

		if (!t || t->kind != TARGET_NODE)
			continue;
		node = &c->nodes[t->config_index];
		if (node->scheme != SCHEME_TPROXY ||
		    addr_parse(node->host, &ret[n].listener) < 0)
			continue;
		ret[n].port = node->port;
		ret_targets[n++] = i;
	}
	return n;
}

void engines_update(struct supervisor *s)
{
	struct prober_now now = supervisor_now();
	size_t max = s->config->node_count, n;
	auto_free struct engine *engines = calloc(max + 1, sizeof(*engines));
	auto_free uint32_t *targets = calloc(max + 1, sizeof(*targets));
	int r;

	if (!engines || !targets)
		return;
	n = engines_of(s->prober, s->config, engines, targets);
	if (!n)
		return;
	r = engines_look(engines, n);
	if (r < 0) {
		log_debug("engines: cannot ask the kernel: %s", strerror(-r));
		return;
	}
	for (size_t i = 0; i < n; i++)
		prober_set_assumed(s->prober, targets[i], engines[i].verdicts,
				   &now);
}
