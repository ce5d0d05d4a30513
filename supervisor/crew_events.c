/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/crew_events.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/check.h"
#include "common/exitcode.h"
#include "supervisor/dispatch.h"
#include "supervisor/supervisor.h"

static const char *place_name(uint32_t place, char buf[24])
{
	snprintf(buf, 24, "w%u", place);
	return buf;
}

static void on_ready(void *arg, uint32_t place)
{
	struct supervisor *s = arg;
	struct pool_view v;
	char name[24], text[64];

	pool_view(s->pool, place, &v);
	s->prober->totals.spawns++;
	snprintf(text, sizeof(text), "ready (pid=%d generation=%u)", (int)v.pid,
		 v.hello.generation);
	supervisor_event(s, EVENT_WORKER_READY, place_name(place, name), text);
	supervisor_wake(s);
}

static void on_result(void *arg, uint32_t place, uint32_t generation,
		      const struct result *r)
{
	struct supervisor *s = arg;

	dispatch_result(s->dispatch, place, generation, r);
	supervisor_wake(s);
}

static void on_unsent(void *arg, uint32_t job_id)
{
	struct supervisor *s = arg;

	if (s->is_stopping)
		return;
	dispatch_unsent(s->dispatch, job_id);
	supervisor_wake(s);
}

static void on_lost(void *arg, const struct pool_lost *l)
{
	struct supervisor *s = arg;

	if (s->is_stopping)
		return;
	dispatch_lost(s->dispatch, l);
	supervisor_wake(s);
}

static void on_retire(void *arg, uint32_t place, enum recycle_reason reason)
{
	struct supervisor *s = arg;
	char name[24], text[64];

	if (reason == RECYCLE_NONE)
		return; /* one more than is wanted: nothing ails it */
	s->prober->totals.recycles[reason]++;
	snprintf(text, sizeof(text), "recycled: %s",
		 recycle_reason_name(reason));
	supervisor_event(s, EVENT_RECYCLE, place_name(place, name), text);
}

static void describe_exit(const struct pool_exit *e, char *buf, size_t cap)
{
	int status = e->status;

	if (WIFSIGNALED(status) && e->reason == RECYCLE_OOM)
		snprintf(buf, cap, "out of memory in its control group");
	else if (WIFSIGNALED(status))
		snprintf(buf, cap, "killed by SIG%s",
			 sigabbrev_np(WTERMSIG(status))
				 ? sigabbrev_np(WTERMSIG(status))
				 : "?");
	else if (WEXITSTATUS(status) == WORKER_EXIT_NOMEM)
		snprintf(buf, cap, "out of memory");
	else if (WEXITSTATUS(status) == WORKER_EXIT_SANDBOX)
		snprintf(buf, cap, "could not build its sandbox");
	else
		snprintf(buf, cap, "exit code %d", WEXITSTATUS(status));
}

static void on_exit_(void *arg, const struct pool_exit *e)
{
	struct supervisor *s = arg;
	char name[24], how[64], text[128];

	if (!e->is_crash && !e->is_failed)
		return;
	s->prober->totals.crashes += e->is_crash;
	describe_exit(e, how, sizeof(how));
	snprintf(text, sizeof(text), "%s (pid=%d)", how, (int)e->pid);
	supervisor_event(s, e->is_failed ? EVENT_WORKER_FAILED : EVENT_CRASH,
			 place_name(e->place, name), text);
	supervisor_wake(s);
}

const struct pool_ops crew_events_ops = {
	.on_ready = on_ready,
	.on_result = on_result,
	.on_unsent = on_unsent,
	.on_lost = on_lost,
	.on_retire = on_retire,
	.on_exit = on_exit_,
};
