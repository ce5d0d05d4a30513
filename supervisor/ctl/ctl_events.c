/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_json.h"

static json_t *event_json(const struct ctl_view *v,
			  const struct event_record *e)
{
	const struct target *t = NULL;

	if (e->target != TARGET_NONE)
		t = target_table_get(v->prober->targets, e->target);
	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "seq",
			 (json_int_t)e->seq, "at",
			 ctl_json_wall((uint64_t)e->wall_ms * NS_PER_MS),
			 "kind", event_kind_name(e->kind), "subject",
			 ctl_json_text(e->subject[0] ? e->subject : NULL),
			 "text", ctl_json_text(e->text), "target_id",
			 t ? ctl_json_id(t->identity) : json_null());
}

/* Where to begin: after @since, or so that the last @count remain. */
static uint64_t first_seq(const struct ctl_view *v, json_int_t since,
			  json_int_t count)
{
	uint64_t last = event_last_seq(v->prober->events);

	if (since >= 0)
		return (uint64_t)since;
	return last > (uint64_t)count ? last - (uint64_t)count : 0;
}

int ctl_cmd_events(struct ctl_call *c)
{
	const struct event_ring *ring = c->view->prober->events;
	json_int_t since = -1, count = 50;
	auto_json json_t *list = json_array();
	const struct event_record *e;
	int follow = 0, r;

	r = ctl_args(c, "{s?I, s?I, s?b}", "since", &since, "count", &count,
		     "follow", &follow);
	if (r < 0)
		return r;
	if (count < 0 || since < -1)
		return ctl_fail(c, -EINVAL, NULL, "count or since below 0");
	/* the cursor is the last one shown, plus 1 so that 0 means none */
	if (c->cursor == 0)
		c->cursor = first_seq(c->view, since, count) + 1;
	while (list && json_array_size(list) < CTL_PAGE) {
		e = event_after(ring, c->cursor - 1);
		if (!e)
			break;
		c->cursor = e->seq + 1;
		if (ctl_json_append(list, event_json(c->view, e)) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	}
	c->more = event_after(ring, c->cursor - 1) != NULL;
	if (!c->more && follow)
		c->more = c->is_follow = true;
	return ctl_done(c, "dae.events/1", json_incref(list));
}
