/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/status_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "supervisor/supervisor.h"

void status_line(const struct supervisor *s, char *buf, size_t cap)
{
	const struct target_table *tt = s->prober->targets;
	uint32_t total = 0, up = 0;

	for (uint32_t i = 0; i < target_table_limit(tt); i++) {
		const struct target *t = target_table_get(tt, i);

		if (!t || t->kind != TARGET_NODE)
			continue;
		total++;
		up += t->state == NODE_UP;
	}
	snprintf(buf, cap,
		 "%u of %u nodes up, %u workers, %s, configuration #%" PRIu64,
		 up, total, crew_count_state(pool_crew(s->pool), SLOT_READY),
		 s->config->supervisor.mode == MODE_ROUTE ? "route" : "observe",
		 s->config_generation);
}
