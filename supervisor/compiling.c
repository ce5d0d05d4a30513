/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compiling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "common/base.h"

struct compiling {
	struct event_base *base;
	struct launch_how how;
	struct launched job;
	struct event *on_end; /* NULL: no job */
	struct event *deadline;
	compiling_done *done;
	void *arg;
};

static void job_over(struct compiling *c)
{
	event_free(c->on_end);
	c->on_end = NULL;
	event_del(c->deadline);
}

static void report(struct compiling *c, int r, struct launch_result *res,
		   const struct task_error *e)
{
	job_over(c);
	c->done(c->arg, r, res, e); /* may begin the next */
	launch_result_clear(res);
}

static void on_end(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		   void *arg)
{
	struct launch_result res = LAUNCH_RESULT_NONE;
	struct task_error e = { .text = "" };
	struct compiling *c = arg;
	int status, r;
	pid_t pid = waitpid(c->job.pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR)) {
		event_add(c->on_end, NULL);
		return;
	}
	r = launch_collect(&c->job, pid < 0 ? 0 : status, &res, &e);
	report(c, r, &res, &e);
}

static void on_deadline(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	struct launch_result res = LAUNCH_RESULT_NONE;
	struct task_error e = { .text = "dae-compile did not end in time" };
	struct compiling *c = arg;

	launch_kill(&c->job);
	report(c, -ETIMEDOUT, &res, &e);
}

int compiling_new(struct compiling **ret, struct event_base *base,
		  const struct launch_how *how)
{
	struct compiling *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->how = *how;
	c->deadline = evtimer_new(base, on_deadline, c);
	if (!c->deadline) {
		free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void compiling_free(struct compiling **cp)
{
	struct compiling *c = TAKE_PTR(*cp);

	if (!c)
		return;
	if (c->on_end) {
		job_over(c);
		launch_kill(&c->job);
	}
	event_free(c->deadline);
	free(c);
}

bool compiling_is_busy(const struct compiling *c)
{
	return c->on_end != NULL;
}

static int busy(struct task_error *e)
{
	*e = (struct task_error){ 0 };
	snprintf(e->text, sizeof(e->text), "dae-compile has another job");
	return -EBUSY;
}

/* It runs: wait for its end. */
static int begin(struct compiling *c, compiling_done *done, void *arg,
		 struct task_error *e)
{
	uint32_t ms = launch_deadline_ms(&c->how);
	struct timeval limit = { .tv_sec = ms / 1000,
				 .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	c->on_end = event_new(c->base, c->job.pidfd, EV_READ, on_end, c);
	if (!c->on_end || event_add(c->on_end, NULL) < 0 ||
	    evtimer_add(c->deadline, &limit) < 0) {
		if (c->on_end)
			job_over(c);
		launch_kill(&c->job);
		snprintf(e->text, sizeof(e->text), "out of memory");
		return -ENOMEM;
	}
	c->done = done;
	c->arg = arg;
	return 0;
}

int compiling_start(struct compiling *c, const struct task_request *q,
		    compiling_done *done, void *arg, struct task_error *e)
{
	int r;

	if (c->on_end)
		return busy(e);
	r = launch_compile(&c->job, &c->how, q, e);
	return r < 0 ? r : begin(c, done, arg, e);
}

int compiling_match(struct compiling *c, const struct task_request *q,
		    int names_fd, compiling_done *done, void *arg,
		    struct task_error *e)
{
	int r;

	if (c->on_end)
		return busy(e);
	r = launch_match(&c->job, &c->how, q, names_fd, e);
	return r < 0 ? r : begin(c, done, arg, e);
}
