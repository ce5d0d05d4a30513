/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/event.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"

struct event_ring {
	struct event_record *events; /* number seq is at seq % max */
	size_t max;
	uint64_t last_seq;
};

static const char *const kind_names[] = {
	[EVENT_VERDICT] = "verdict",
	[EVENT_SELECTION] = "selection",
	[EVENT_NODE_STATE] = "node_state",
	[EVENT_RECYCLE] = "recycle",
	[EVENT_CRASH] = "crash",
	[EVENT_WORKER_READY] = "worker_ready",
	[EVENT_WORKER_FAILED] = "worker_failed",
	[EVENT_QUARANTINE] = "quarantine",
	[EVENT_RELEASE] = "release",
	[EVENT_OFFLINE] = "offline",
	[EVENT_ONLINE] = "online",
	[EVENT_RELOAD] = "reload",
	[EVENT_ADMIN] = "admin",
	[EVENT_BUDGET] = "budget",
	[EVENT_NOTE] = "note",
};
static_assert(ARRAY_LEN(kind_names) == EVENT_KIND_COUNT, "name the event");

const char *event_kind_name(unsigned int kind)
{
	return kind < EVENT_KIND_COUNT ? kind_names[kind] : "?";
}

int event_kind_parse(const char *name)
{
	for (int i = 0; i < EVENT_KIND_COUNT; i++) {
		if (strcmp(kind_names[i], name) == 0)
			return i;
	}
	return -ENOENT;
}

int event_ring_new(struct event_ring **ret, size_t max)
{
	auto_event_ring struct event_ring *r = NULL;

	if (max == 0)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->max = max;
	r->events = calloc(max, sizeof(*r->events));
	if (!r->events)
		return -ENOMEM;
	*ret = TAKE_PTR(r);
	return 0;
}

void event_ring_free(struct event_ring **r)
{
	if (*r)
		free((*r)->events);
	free(*r);
	*r = NULL;
}

const struct event_record *event_record(struct event_ring *r,
					enum event_kind kind,
					const struct event_time *at,
					uint32_t target, const char *subject,
					const char *text)
{
	struct event_record *e = &r->events[++r->last_seq % r->max];

	memset(e, 0, sizeof(*e));
	e->seq = r->last_seq;
	e->mono_ns = at->mono_ns;
	e->wall_ms = at->wall_ms;
	e->kind = kind;
	e->target = target;
	text_clean(e->subject, sizeof(e->subject), subject, strlen(subject));
	text_clean(e->text, sizeof(e->text), text, strlen(text));
	return e;
}

const struct event_record *event_after(const struct event_ring *r, uint64_t seq)
{
	uint64_t oldest = r->last_seq > r->max ? r->last_seq - r->max + 1 : 1;
	uint64_t next = seq < oldest ? oldest : seq + 1;

	return next > r->last_seq || next == 0 ? NULL
					       : &r->events[next % r->max];
}

uint64_t event_last_seq(const struct event_ring *r)
{
	return r->last_seq;
}
