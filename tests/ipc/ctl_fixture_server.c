/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl_fixture_server SOCKET [fail]: the control server on the fixture of the unit
 * tests, for daectl to talk to. With "fail" every operation fails. Prints a line
 * when it listens; ends after two minutes at the latest.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "tests/unit/ctl_fixture.h"
#include "common/base.h"
#include "supervisor/ctl/ctl_server.h"

#define LIFE_S 120
#define TICK_US 50000

struct rig {
	struct ctl_fixture *f;
	struct ctl_server *server;
	struct event_base *base;
	int ticks, more;
};

/* Probes are answered a moment later; followers get three events. */
static void on_tick(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	struct ctl_probe_answer answers[TARGET_CHECKS];
	struct rig *r = arg;
	size_t n;

	if (r->f->ticket) {
		n = ctl_fixture_answers(r->f, answers, TARGET_CHECKS);
		ctl_server_probe_done(r->server, r->f->ticket, answers, n);
		r->f->ticket = 0;
	}
	if (++r->ticks % 10 == 0 && access("more-events", F_OK) == 0 &&
	    r->more++ < 9) {
		ctl_fixture_event(r->f, "another");
		ctl_server_notify(r->server);
	}
}

static void on_signal(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		      void *arg)
{
	struct rig *r = arg;

	event_base_loopbreak(r->base);
}

static int serve(struct rig *r, const char *path)
{
	static const struct timeval tick = { .tv_usec = TICK_US };
	static const struct timeval life = { .tv_sec = LIFE_S };
	struct ctl_server_options o = { .path = path,
					.listen_fd = -1,
					.group = CTL_NO_GID,
					.admin = CTL_NO_GID,
					.mode = 0666 };
	struct event *timer, *term;
	int e;

	e = ctl_server_new(&r->server, r->base, &o, &ctl_fixture_ops, r->f);
	if (e < 0)
		return e;
	timer = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	term = evsignal_new(r->base, SIGTERM, on_signal, r);
	event_add(timer, &tick);
	event_add(term, NULL);
	event_base_loopexit(r->base, &life);
	puts("listening");
	fflush(stdout);
	event_base_dispatch(r->base);
	event_free(timer);
	event_free(term);
	ctl_server_free(&r->server);
	return 0;
}

int main(int argc, char **argv)
{
	struct rig r = { 0 };
	int e;

	if (argc < 2)
		return 2;
	r.f = ctl_fixture_new();
	if (argc > 2 && strcmp(argv[2], "fail") == 0)
		r.f->fail = -EINVAL;
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	r.base = event_base_new();
	e = r.base ? serve(&r, argv[1]) : -ENOMEM;
	if (e < 0)
		fprintf(stderr, "ctl_fixture_server: %s\n", strerror(-e));
	if (r.base)
		event_base_free(r.base);
	ctl_fixture_free(&r.f);
	return e < 0;
}
