/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/chan.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/log.h"
#include "dae_build_id.h"
#include "worker/net/tls_ctx.h"
#include "worker/probe/probe.h"

#define FREE_KEPT_MAX (512 << 10) /* bytes malloc may keep for itself */
#define FD_GAP_MAX 64		  /* the kernel gives the lowest free number */

struct worker {
	struct probe_host host; /* first: probes give us this pointer */
	struct chan *chan;
	struct event *beat;
	struct result *results; /* not sent yet */
	size_t results_len, results_cap;
	uint64_t loops, probes_done;
	bool is_draining, said_drained, is_over;
	int exit_code;
};

static void out_of_memory(void)
{
	log_error("worker: out of memory");
	_exit(WORKER_EXIT_NOMEM);
}

static void finish(struct worker *w, int exit_code)
{
	if (w->is_over)
		return;
	w->is_over = true;
	w->exit_code = exit_code;
	event_base_loopbreak(w->host.base);
}

/* A full queue is the supervisor's slowness: what must not be lost is kept and
 * tried again by the caller. */
static int send_msg(struct worker *w, enum msg_type type, const void *payload,
		    size_t len)
{
	const struct chan_out out = {
		.type = (uint16_t)type,
		.payload = payload,
		.len = len,
	};
	int r = chan_send(w->chan, &out);

	if (r == -ENOMEM)
		out_of_memory();
	return r;
}

static void results_append(struct worker *w, const struct result *res)
{
	size_t cap = MAX(w->results_cap * 2, (size_t)MSG_RESULTS_MAX);
	struct result *p;

	if (w->results_len == w->results_cap) {
		p = reallocarray(w->results, cap, sizeof(*p));
		if (!p)
			out_of_memory();
		w->results = p;
		w->results_cap = cap;
	}
	w->results[w->results_len++] = *res;
}

/* Once a turn of the loop: what ended in it goes in as few messages as can be. */
static void results_flush(struct worker *w)
{
	size_t sent = 0, n;

	while (sent < w->results_len) {
		n = MIN(w->results_len - sent, (size_t)MSG_RESULTS_MAX);
		if (send_msg(w, MSG_RESULTS, w->results + sent,
			     n * sizeof(*w->results)) < 0)
			break;
		sent += n;
	}
	if (sent == 0)
		return;
	w->results_len -= sent;
	memmove(w->results, w->results + sent,
		w->results_len * sizeof(*w->results));
}

/* The last word, when all others have been said. */
static void drain_step(struct worker *w)
{
	if (!w->is_draining || w->host.running || w->results_len)
		return;
	if (!w->said_drained)
		w->said_drained = send_msg(w, MSG_DRAINED, NULL, 0) == 0;
	if (w->said_drained && !chan_is_backlogged(w->chan))
		finish(w, WORKER_EXIT_DRAINED);
}

static void on_done(struct probe_host *host, struct probe *p)
{
	struct worker *w = (struct worker *)host;

	w->probes_done++;
	results_append(w, &p->res);
}

static int request_socket(struct probe_host *host, struct probe *p,
			  const struct sockaddr_storage *to, uint8_t proto)
{
	struct socket_request req = { .job_id = p->spec.id, .proto = proto };
	struct addr a;

	addr_from_sockaddr(to, &a, &req.port);
	req.family = a.family;
	memcpy(req.addr, a.b, sizeof(req.addr));
	return send_msg((struct worker *)host, MSG_SOCKET_REQUEST, &req,
			sizeof(req));
}

/* A job that could not even begin is reported as ours. */
static void report_unrun(struct worker *w, uint32_t job_id, enum outcome o)
{
	const struct result res = {
		.job_id = job_id,
		.outcome = (uint16_t)o,
		.phase = PHASE_CONNECT,
	};

	results_append(w, &res);
}

/* The strings of a job in as much memory as they need: most jobs' are short,
 * and hundreds may be running. */
static char *arena_shrink(struct job_spec *spec, const char *scratch)
{
	size_t used = 0, end;
	char *arena;
	unsigned int i;

	for (i = 0; i < JOB_STR_COUNT; i++) {
		end = (size_t)(spec->str[i] - scratch) + strlen(spec->str[i]);
		used = MAX(used, end + 1);
	}
	arena = malloc(used);
	if (!arena)
		out_of_memory();
	memcpy(arena, scratch, used);
	for (i = 0; i < JOB_STR_COUNT; i++)
		spec->str[i] = arena + (spec->str[i] - scratch);
	return arena;
}

static int take_job(struct worker *w, struct rcur *c, int *fd)
{
	char scratch[JOB_ARENA_SIZE];
	struct job_spec spec;
	int r;

	r = job_decode(c, scratch, &spec);
	if (r < 0)
		return r;
	if (spec.nfds != 1)
		return -EBADMSG;
	if (w->is_draining) {
		report_unrun(w, spec.id, OUTCOME_ABORTED);
		return 0;
	}
	r = probe_launch(&w->host, &spec, arena_shrink(&spec, scratch),
			 TAKE_FD(*fd));
	if (r == -ENOMEM)
		out_of_memory();
	if (r < 0)
		report_unrun(w, spec.id, OUTCOME_INTERNAL);
	return 0;
}

static int on_jobs(struct worker *w, const struct chan_in *in)
{
	struct rcur c;
	uint16_t count, i;
	int r;

	rcur_init(&c, in->payload, in->len);
	count = rcur_u16(&c);
	if (!w->host.tls)
		return -EPROTO; /* SETUP comes first */
	if (count == 0 || count > MSG_JOBS_MAX || in->nfds != count)
		return -EBADMSG;
	for (i = 0; i < count; i++) {
		r = take_job(w, &c, &in->fds[i]);
		if (r < 0)
			return r;
	}
	return rcur_finish(&c);
}

static int on_setup(struct worker *w, const struct chan_in *in)
{
	struct setup s;
	int r;

	memcpy(&s, in->payload, sizeof(s));
	if (w->host.tls)
		return -EPROTO;
	w->host.heap_budget = s.heap_budget;
	r = tls_ctx_new(&w->host.tls, in->fds[0]);
	if (r == -ENOMEM)
		out_of_memory();
	if (r < 0)
		return log_err_r(r, "worker: CA bundle");
	return 0;
}

static int on_socket(struct worker *w, const struct chan_in *in)
{
	struct socket_reply s;
	struct probe *p;

	memcpy(&s, in->payload, sizeof(s));
	if (s.error > 0 || (s.error == 0) != (in->nfds == 1))
		return -EBADMSG;
	p = probe_find(&w->host, s.job_id);
	if (p)
		probe_socket_arrived(p, in->nfds ? TAKE_FD(in->fds[0]) : -1,
				     s.error);
	return 0;
}

static int on_cancel(struct worker *w, const struct chan_in *in)
{
	struct cancel c;
	struct probe *p;

	memcpy(&c, in->payload, sizeof(c));
	p = probe_find(&w->host, c.job_id);
	if (p)
		probe_abort(p, OUTCOME_ABORTED);
	return 0;
}

static int on_drain(struct worker *w, const struct chan_in *in DAE_UNUSED)
{
	w->is_draining = true;
	return 0;
}

static int on_message(void *arg, const struct chan_in *in)
{
	static int (*const handlers[MSG_TYPE_COUNT])(struct worker *,
						     const struct chan_in *) = {
		[MSG_SETUP] = on_setup,	  [MSG_JOBS] = on_jobs,
		[MSG_SOCKET] = on_socket, [MSG_CANCEL] = on_cancel,
		[MSG_DRAIN] = on_drain,
	};

	return handlers[in->hdr.type](arg, in);
}

/* The supervisor is gone, and nobody is left to work for; or it speaks another
 * language. */
static void on_close(void *arg, int error)
{
	if (error)
		log_err_r(error, "worker: channel");
	finish(arg, error ? WORKER_EXIT_PROTOCOL : WORKER_EXIT_DRAINED);
}

static uint32_t count_fds(void)
{
	uint32_t n = 0, gap = 0;
	int fd;

	for (fd = 0; gap < FD_GAP_MAX; fd++) {
		gap = fcntl(fd, F_GETFD) < 0 ? gap + 1 : 0;
		n += gap == 0;
	}
	return n;
}

/* glibc keeps what was freed: after a burst, it is given back. */
static size_t heap_tidy(const struct worker *w)
{
	struct mallinfo2 mi = mallinfo2();

	if (mi.fordblks > FREE_KEPT_MAX &&
	    (w->host.running == 0 || mi.fordblks > mi.uordblks))
		malloc_trim(0);
	return mi.uordblks + mi.hblkhd;
}

static void on_beat(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	struct worker *w = arg;
	const struct heartbeat h = {
		.loops = w->loops,
		.probes_done = w->probes_done,
		.heap_bytes = heap_tidy(w),
		.in_flight = w->host.running,
		.fds = count_fds(),
	};

	/* One that does not fit in the queue may be missed. */
	send_msg(w, MSG_HEARTBEAT, &h, sizeof(h));
}

static const struct chan_ops chan_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int worker_new(struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->host.done = on_done;
	w->host.request_socket = request_socket;
	r = tls_init();
	if (r == 0) {
		w->host.base = base_new();
		r = w->host.base ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = chan_new(&w->chan, w->host.base, WORKER_CHANNEL_FD,
			     msg_from_supervisor, &chan_ops, w);
	if (r == 0) {
		w->beat = event_new(w->host.base, -1, EV_PERSIST, on_beat, w);
		r = w->beat ? 0 : -ENOMEM;
	}
	if (r < 0)
		worker_free(&w);
	else
		*ret = w;
	return r;
}

int worker_run(struct worker *w, uint32_t generation, enum worker_role role,
	       const struct confine_report *sandbox)
{
	static const struct timeval second = { 1, 0 };
	const struct hello hello = {
		.build_id = DAE_BUILD_ID,
		.generation = generation,
		.pid = (uint32_t)getpid(),
		.role = (uint8_t)role,
		.landlock_abi = sandbox->landlock_abi,
		.seccomp = sandbox->seccomp,
	};

	if (send_msg(w, MSG_HELLO, &hello, sizeof(hello)) < 0)
		return WORKER_EXIT_PROTOCOL;
	if (event_add(w->beat, &second) < 0)
		return WORKER_EXIT_NOMEM;
	while (!w->is_over) {
		event_base_loop(w->host.base, EVLOOP_ONCE);
		w->loops++;
		if (w->is_over)
			break;
		results_flush(w);
		drain_step(w);
	}
	return w->exit_code;
}

void worker_free(struct worker **w)
{
	if (!*w)
		return;
	while ((*w)->host.first)
		probe_abort((*w)->host.first, OUTCOME_ABORTED);
	if ((*w)->beat)
		event_free((*w)->beat);
	chan_free(&(*w)->chan);
	tls_ctx_free(&(*w)->host.tls);
	if ((*w)->host.base)
		event_base_free((*w)->host.base);
	free((*w)->results);
	free(*w);
	*w = NULL;
}
