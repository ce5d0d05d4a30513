/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/asks.h"
#include "supervisor/confirm.h"
#include "supervisor/compiling.h"
#include "supervisor/control.h"
#include "supervisor/crew_events.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/datapath/fence.h"
#include "supervisor/dispatch.h"
#include "supervisor/engines.h"
#include "supervisor/flow_sweep.h"
#include "supervisor/kernel_plan.h"
#include "supervisor/matching.h"
#include "supervisor/netmon.h"
#include "supervisor/notify.h"
#include "supervisor/reload.h"
#include "supervisor/reload_diff.h"
#include "supervisor/setup.h"
#include "supervisor/start.h"
#include "supervisor/state_file.h"
#include "supervisor/status_line.h"
#include "supervisor/trace.h"

#define TURN_MIN_NS NS_PER_MS
#define TURN_BUSY_NS (20 * NS_PER_MS) /* no worker is free */
#define TURN_MAX_NS NS_PER_S
#define SAVE_EVERY_NS (60 * NS_PER_S)
#define SAVE_SOON_NS NS_PER_S /* after what a crash must not make forgotten */

struct prober_now supervisor_now(void)
{
	uint64_t wall_ns = clock_wall_ns();

	return (struct prober_now){
		.mono_ns = clock_mono_ns(),
		.wall_s = (int64_t)(wall_ns / NS_PER_S),
		.wall_rest_ms = (uint16_t)(wall_ns % NS_PER_S / NS_PER_MS),
	};
}

int supervisor_limits(const struct config *c, const struct recycle_policy *want,
		      struct recycle_limits *ret,
		      struct recycle_policy *ret_policy)
{
	long pages = sysconf(_SC_PHYS_PAGES),
	     cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const struct config_supervisor *s = &c->supervisor;
	struct recycle_machine m = {
		.ram_bytes = (uint64_t)MAX(pages, 1L) *
			     (uint64_t)sysconf(_SC_PAGESIZE),
		.cpus = (uint32_t)MAX(cpus, 1L),
		.memory_total_bytes = s->memory_total_bytes,
		.workers = s->workers,
		.flow_entries = s->flow_entries,
		.rss_soft_bytes = want->rss_soft_bytes,
		.rss_hard_bytes = want->rss_hard_bytes,
	};
	int r;

	r = recycle_derive(&m, ret);
	if (r < 0)
		return r;
	*ret_policy = *want;
	ret_policy->rss_soft_bytes = ret->rss_soft_bytes;
	ret_policy->rss_hard_bytes = ret->rss_hard_bytes;
	return 0;
}

void supervisor_event(struct supervisor *s, enum event_kind kind,
		      const char *subject, const char *text)
{
	struct event_time at = { .mono_ns = clock_mono_ns(),
				 .wall_ms = (int64_t)(clock_wall_ns() /
						      NS_PER_MS) };

	event_record(s->prober->events, kind, &at, TARGET_NONE, subject, text);
}

static bool is_worth_saving(uint32_t kind)
{
	return kind == EVENT_QUARANTINE || kind == EVENT_RELEASE ||
	       kind == EVENT_SELECTION || kind == EVENT_ADMIN;
}

/* What has happened since the last turn, one log line each. */
static void tell_events(struct supervisor *s)
{
	const struct event_record *e = event_after(s->prober->events,
						   s->event_seq);
	bool any = e != NULL;

	for (; e; e = event_after(s->prober->events, s->event_seq)) {
		s->event_seq = e->seq;
		s->wants_save |= is_worth_saving(e->kind);
		log_info("%s: %s: %s", event_kind_name(e->kind),
			 e->subject[0] ? e->subject : "-", e->text);
	}
	if (any && s->ctl)
		ctl_server_notify(s->ctl);
}

/* Never sooner than @least_ns. */
static void arm_turn(struct supervisor *s, uint64_t now_ns, uint64_t least_ns)
{
	uint64_t due = prober_next_ns(s->prober, now_ns);
	uint64_t wait = due > now_ns ? due - now_ns : 0;
	struct timeval tv;

	wait = MIN(MAX(wait, least_ns), (uint64_t)TURN_MAX_NS);
	tv.tv_sec = (time_t)(wait / NS_PER_S);
	tv.tv_usec = (suseconds_t)(wait % NS_PER_S / NS_PER_US);
	evtimer_add(s->turn_timer, &tv);
}

void supervisor_wake(struct supervisor *s)
{
	if (s->turn_timer && !s->is_stopping)
		event_active(s->turn_timer, EV_TIMEOUT, 0);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	struct prober_now now = supervisor_now();
	bool all_sent;

	(void)fd;
	(void)what;
	/* without its rules a probe would leave by another uplink than a flow */
	if (s->is_stopping || !s->is_ready)
		return;
	if (prober_update_groups(s->prober, &now))
		kernel_publish(s->kernel, s->prober);
	dispatch_expire(s->dispatch);
	asks_begin(s->asks);
	all_sent = dispatch_run(s->dispatch);
	if (prober_update_groups(s->prober, &now))
		kernel_publish(s->kernel, s->prober);
	tell_events(s);
	arm_turn(s, clock_mono_ns(), all_sent ? TURN_MIN_NS : TURN_BUSY_NS);
}

static void save_state(struct supervisor *s)
{
	struct prober_now now = supervisor_now();

	s->saved_ns = now.mono_ns;
	s->wants_save = false;
	state_file_save(s->opt.state_dir, s->prober, &now);
}

/* Alive, and how we are. */
static void tell_manager(const struct supervisor *s)
{
	char line[128], text[160];

	status_line(s, line, sizeof(line));
	snprintf(text, sizeof(text), "WATCHDOG=1\nSTATUS=%s", line);
	notify_send(text);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	struct prober_now now = supervisor_now();

	(void)fd;
	(void)what;
	kernel_beat(s->kernel, now.mono_ns);
	engines_update(s);
	prober_tick(s->prober, &now);
	if (now.mono_ns - s->saved_ns >=
	    (s->wants_save ? SAVE_SOON_NS : SAVE_EVERY_NS))
		save_state(s);
	tell_manager(s);
	supervisor_wake(s);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)what;
	if (sig == SIGHUP) {
		reload_by_signal(s);
		return;
	}
	log_info("supervisor: signal %d: stopping", (int)sig);
	s->is_stopping = true;
	event_base_loopexit(s->base, NULL);
}

static int add_events(struct supervisor *s)
{
	static const int sigs[] = { SIGHUP, SIGTERM, SIGINT, SIGQUIT };
	static const struct timeval second = { .tv_sec = 1 };

	s->turn_timer = evtimer_new(s->base, on_turn, s);
	s->second_timer = event_new(s->base, -1, EV_PERSIST, on_second, s);
	if (!s->turn_timer || !s->second_timer)
		return -ENOMEM;
	event_add(s->second_timer, &second);
	for (size_t i = 0; i < ARRAY_LEN(sigs); i++) {
		s->signals[i] = evsignal_new(s->base, sigs[i], on_signal, s);
		if (!s->signals[i] || event_add(s->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static void on_network(void *ctx, const struct netmon_state *st)
{
	struct supervisor *s = ctx;
	struct prober_now now = supervisor_now();
	bool changed = st->fingerprint != s->netmon_fingerprint;
	bool has_default = st->has_default4 || st->has_default6;
	struct kernel_error err;

	/* a machine that never had a default route is not offline without */
	s->had_default |= has_default;
	s->netmon_fingerprint = st->fingerprint;
	s->kernel_warning[0] = '\0';
	if (kernel_refresh(s->kernel, &err) < 0) {
		log_warn("kernel: %s", err.text);
		snprintf(s->kernel_warning, sizeof(s->kernel_warning), "%s",
			 err.text);
	}
	if (changed)
		dispatch_network_changed(s->dispatch);
	prober_link(s->prober, has_default || !s->had_default, changed, &now);
	supervisor_wake(s);
}

/* What is so at the start: only what differs from it later is a change. */
static void know_network(struct supervisor *s)
{
	struct netmon_state st;

	if (netmon_read(&st) < 0)
		return;
	s->netmon_fingerprint = st.fingerprint;
	s->had_default = st.has_default4 || st.has_default6;
}

int supervisor_new(struct supervisor **ret, const struct options *opt)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->opt = *opt;
	s->ca_fd = -1;
	s->started_ns = clock_mono_ns();
	s->base = event_base_new();
	r = s->base ? setup_all(s) : -ENOMEM;
	if (r == 0)
		r = add_events(s);
	if (r == 0)
		r = flow_sweep_new(&s->sweep, s);
	if (r == 0)
		r = netmon_new(&s->netmon, s->base, on_network, s);
	if (r < 0) {
		supervisor_free(&s);
		return r;
	}
	know_network(s);
	*ret = s;
	return 0;
}

int supervisor_run(struct supervisor *s)
{
	int r = start_begin(s);

	if (r < 0)
		return r;
	if (event_base_dispatch(s->base) < 0)
		return -EIO;
	if (!s->is_ready)
		return s->start_error;
	notify_send("STOPPING=1");
	save_state(s);
	return 0;
}

void supervisor_free(struct supervisor **sp)
{
	struct supervisor *s = TAKE_PTR(*sp);

	if (!s)
		return;
	s->is_stopping = true;
	compiling_free(&s->compiling);
	matching_free(&s->matching);
	reload_stop(s);
	kernel_plan_free(&s->first_plan);
	ctl_server_free(&s->ctl);
	netmon_free(&s->netmon);
	asks_free(&s->asks);
	dispatch_free(&s->dispatch);
	pool_free(&s->pool);
	fence_close(&s->fence);
	trace_end(s);
	kernel_free(&s->kernel);
	confirm_free(&s->confirm);
	flow_sweep_free(&s->sweep);
	reload_diff_drop(s);
	free(s->rule_base);
	prober_free(&s->prober);
	config_free(&s->config);
	if (s->turn_timer)
		event_free(s->turn_timer);
	if (s->second_timer)
		event_free(s->second_timer);
	for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
		if (s->signals[i])
			event_free(s->signals[i]);
	if (s->base)
		event_base_free(s->base);
	fd_close_ptr(&s->ca_fd);
	free(s->worker_path);
	free(s->compile_path);
	free(s);
}
