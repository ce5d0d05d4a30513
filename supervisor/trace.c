/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/datapath/tap.h"
#include "supervisor/flows.h"
#include "supervisor/supervisor.h"

#define RATE 500       /* a second */
#define KEPT_MAX 1024U /* read, and not yet taken by the client */

struct trace {
	struct supervisor *s;
	uint64_t ticket;
	struct ctl_trace_request q;
	uint64_t until_ns;
	struct datapath_tap *tap;
	struct event *readable, *second;
	struct datapath_decision kept[KEPT_MAX];
	size_t first, count;
	uint64_t left; /* of what was asked for */
	uint64_t lost; /* of taps that are closed, and for want of room */
};

static void drop_tap(struct trace *t)
{
	if (t->readable)
		event_free(TAKE_PTR(t->readable));
	if (t->tap)
		t->lost += tap_lost(t->tap);
	tap_close(&t->tap);
}

void trace_end(struct supervisor *s)
{
	struct trace *t = TAKE_PTR(s->trace);

	if (!t)
		return;
	drop_tap(t);
	if (t->second)
		event_free(t->second);
	free(t);
}

void trace_client_gone(void *ctx, uint64_t ticket)
{
	struct supervisor *s = ctx;

	if (s->trace && s->trace->ticket == ticket)
		trace_end(s);
}

static void on_decision(void *ctx, const struct datapath_decision *x)
{
	struct trace *t = ctx;

	if (t->count == KEPT_MAX)
		t->lost++;
	else
		t->kept[(t->first + t->count++) % KEPT_MAX] = *x;
}

static void on_readable(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	struct trace *t = arg;

	tap_read(t->tap);
	if (t->count > 0)
		ctl_server_notify_one(t->s->ctl, t->ticket);
}

static int open_tap(struct trace *t)
{
	struct datapath *dp = kernel_datapath(t->s->kernel);
	const struct datapath_tap_filter f = { .src = t->q.src,
					       .dst = t->q.dst,
					       .port = t->q.port,
					       .l4proto = t->q.l4proto,
					       .until_ns = t->until_ns };
	int r = dp ? tap_open(&t->tap, dp, &f, on_decision, t) : -EOPNOTSUPP;

	if (r < 0)
		return r;
	tap_allow(t->tap, RATE);
	t->readable = event_new(t->s->base, tap_fd(t->tap),
				EV_READ | EV_PERSIST, on_readable, t);
	if (!t->readable || event_add(t->readable, NULL) < 0) {
		drop_tap(t);
		return -ENOMEM;
	}
	return 0;
}

/* In a second, or when the time is over, if that is earlier. */
static int arm(const struct trace *t)
{
	uint64_t now = clock_mono_ns(), ns = NS_PER_S;
	struct timeval tv;

	if (t->until_ns > now)
		ns = MIN(ns, t->until_ns - now);
	tv.tv_sec = (time_t)(ns / NS_PER_S);
	/* rounded up: not before it */
	tv.tv_usec = (suseconds_t)((ns % NS_PER_S + 999) / 1000);
	if (tv.tv_usec == 1000000)
		tv = (struct timeval){ .tv_sec = tv.tv_sec + 1 };
	return event_add(t->second, &tv);
}

/* Also wakes the client when the time is over. */
static void on_second(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		      void *arg)
{
	struct trace *t = arg;

	if (t->tap)
		tap_allow(t->tap, RATE);
	arm(t);
	/* some may have come while it was being written to */
	if (t->count > 0 || clock_mono_ns() >= t->until_ns)
		ctl_server_notify_one(t->s->ctl, t->ticket);
}

static int begin(struct supervisor *s, uint64_t ticket,
		 const struct ctl_trace_request *q, struct ctl_outcome *res)
{
	struct trace *t;
	int r;

	if (s->trace) {
		snprintf(res->message, sizeof(res->message),
			 "somebody else is tracing");
		return -EBUSY;
	}
	t = s->trace = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->s = s;
	t->ticket = ticket;
	t->q = *q;
	t->left = q->count ? q->count : UINT64_MAX;
	t->until_ns = clock_mono_ns() + q->for_ms * NS_PER_MS;
	t->second = event_new(s->base, -1, 0, on_second, t);
	r = t->second && arm(t) == 0 ? open_tap(t) : -ENOMEM;
	if (r < 0)
		trace_end(s);
	return r;
}

void trace_follow_reload(struct supervisor *s)
{
	struct trace *t = s->trace;

	if (!t)
		return;
	if (t->tap)
		tap_read(t->tap);
	drop_tap(t);
	t->lost += t->count; /* by rules that nobody knows any more */
	t->count = 0;
	open_tap(t); /* without one, nothing more comes until the end */
}

static void describe(struct trace *t, struct ctl_trace_page *ret)
{
	const struct datapath_decision *x = &t->kept[t->first];
	struct ctl_decision *c = &ret->items[ret->count++];
	const struct datapath_flow f = { .src = x->src,
					 .dst = x->dst,
					 .sport = x->sport,
					 .dport = x->dport,
					 .l4proto = x->l4proto,
					 .kind = x->kind,
					 .has_group = x->has_group,
					 .group = x->group,
					 .target = x->target,
					 .mark = x->mark };

	flows_describe(t->s, &f, &c->flow);
	c->rule = x->rule;
	c->is_host = x->is_host;
	c->mono_ns = x->time_ns;
	t->first = (t->first + 1) % KEPT_MAX;
	t->count--;
	t->left--;
}

int trace_step(void *ctx, uint64_t ticket, const struct ctl_trace_request *q,
	       struct ctl_trace_page *ret, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct trace *t;
	int r;

	ret->count = 0;
	ret->lost = 0;
	ret->is_over = false;
	if (q) {
		r = begin(s, ticket, q, res);
		if (r < 0)
			return r;
	}
	t = s->trace;
	ret->is_over = !t || t->ticket != ticket;
	if (ret->is_over)
		return 0;
	while (t->count > 0 && t->left > 0 && ret->count < CTL_TRACE_PAGE)
		describe(t, ret);
	ret->has_more = t->count > 0;
	ret->lost = t->lost + (t->tap ? tap_lost(t->tap) : 0);
	ret->is_over = t->left == 0 ||
		       (!ret->has_more && clock_mono_ns() >= t->until_ns);
	if (ret->is_over)
		trace_end(s);
	return 0;
}
