/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/learn_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "supervisor/route_ask.h"
#include "supervisor/supervisor.h"

void learn_ask_view(const struct supervisor *s, struct ctl_names *ret)
{
	struct learn_status st;

	learn_read_status(kernel_learn(s->kernel), &st);
	*ret = (struct ctl_names){
		.learned = learn_table(kernel_learn(s->kernel)),
		.rules = st.rules,
		.kernel_entries = st.kernel.entries4 + st.kernel.entries6,
		.kernel_room = st.kernel.capacity4 + st.kernel.capacity6,
		.not_entered = st.kernel.no_room + st.kernel.no_class,
	};
}

int learn_ask(void *ctx, const struct ctl_learn_request *q,
	      struct ctl_learn_answer *ret, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	const struct ruleset *rules = kernel_rules(s->kernel);
	struct learned_record rec = { .ttl_s = q->ttl_s };
	int r = rules ? 0 : -ENOENT;

	if (r == 0 && !q->sets && rules->h->domain_sets)
		return route_ask_sets(s, q->name, res);
	if (q->sets)
		rec.sets = *q->sets;
	snprintf(rec.name, sizeof(rec.name), "%s", q->name);
	for (size_t i = 0; r == 0 && i < q->count; i++) {
		rec.addr = q->addrs[i];
		r = learn_record(kernel_learn(s->kernel), &rec,
				 clock_mono_ns());
	}
	for (size_t i = 0; i < DAE_BITMAP_WORDS; i++)
		ret->set_count += dae_popcount(rec.sets.w[i]);
	return r;
}

int learn_ask_forget(void *ctx, const char *what,
		     struct ctl_outcome *res DAE_UNUSED)
{
	struct supervisor *s = ctx;

	return learn_forget(kernel_learn(s->kernel), what);
}
