/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/probe/probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/log.h"

#define PH(x) (1U << PHASE_##x)

/* Memory is ours, not the target's: no verdict comes of the lack of it. */
static void out_of_memory(void)
{
	log_error("probe: out of memory");
	_exit(WORKER_EXIT_NOMEM);
}

/* The phases this job goes through, for naming the one it ended in. */
static unsigned int phases_of(const struct job_spec *spec)
{
	unsigned int m = PH(FIRST_BYTE);

	if (spec->kind == JOB_RESOLVE)
		return PH(RESOLVE);
	if (spec->via != JOB_VIA_DIRECT)
		m |= PH(CONNECT) | PH(PROXY);
	else if (spec->proto == IPPROTO_TCP)
		m |= PH(CONNECT);
	switch (spec->kind) {
	case JOB_DNS_HTTPS:
	case JOB_DNS_H3:
	case JOB_DNS_QUIC:
	case JOB_H3:
	case JOB_QUIC:
		return m | PH(HANDSHAKE);
	default:
		return spec->flags & JOB_TLS ? m | PH(HANDSHAKE) : m;
	}
}

static enum phase phase_reached(const struct probe *p)
{
	unsigned int mask = phases_of(&p->spec), ph;

	for (ph = 0; ph < PHASE_TOTAL; ph++)
		if (mask & 1U << ph && p->res.phase_us[ph] == 0)
			return (enum phase)ph;
	return PHASE_TOTAL;
}

/* The clock is read again: since the wake-up we may have worked for long, or
 * waited for the CPU while the answer came. */
void probe_phase(struct probe *p, enum phase ph, uint64_t now_ns)
{
	bool is_ours = ph == PHASE_TOTAL || phases_of(&p->spec) & 1U << ph;
	uint64_t us;

	if (!is_ours || p->res.phase_us[ph])
		return;
	now_ns = MAX(now_ns, clock_mono_ns());
	us = (now_ns - p->start_ns) / NS_PER_US;
	/* 0 is for "not reached" */
	p->res.phase_us[ph] = (uint32_t)MAX(us, (uint64_t)1);
}

struct probe *probe_find(const struct probe_host *host, uint32_t job_id)
{
	struct probe *p;

	for (p = host->first; p; p = p->next)
		if (p->spec.id == job_id)
			return p;
	return NULL;
}

static void list_insert(struct probe *p)
{
	p->next = p->host->first;
	if (p->next)
		p->next->prev = p;
	p->host->first = p;
	p->host->running++;
}

static void list_remove(struct probe *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		p->host->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->host->running--;
}

static void report_fill(struct probe *p, uint64_t now_ns)
{
	struct result *res = &p->res;

	res->job_id = p->spec.id;
	res->outcome = p->fail.outcome;
	res->foreign_kind = p->fail.foreign_kind;
	res->foreign = p->fail.foreign;
	res->phase = (uint8_t)(p->fail.outcome == OUTCOME_OK
				       ? PHASE_TOTAL
				       : phase_reached(p));
	memcpy(res->detail, p->fail.detail, sizeof(res->detail));
	probe_phase(p, PHASE_TOTAL, now_ns);
}

/* The one way out. Sockets are taken out of epoll before they are closed: the
 * supervisor may hold a copy of them, which would keep the entry alive. */
static void probe_end(struct probe *p, uint64_t now_ns)
{
	struct probe_host *host = p->host;
	unsigned int i;

	memacct_enter(&p->mem);
	p->ops->stop(p);
	memacct_enter(NULL);
	evtimer_del(&p->timer);
	for (i = 0; i < PROBE_FDS; i++) {
		probe_watch(p, i, 0);
		fd_close_ptr(&p->io[i].fd);
	}
	report_fill(p, now_ns);
	p->res.peak_bytes = (uint32_t)p->mem.peak;
	p->res.leaked_bytes = (uint32_t)memacct_close(&p->mem);
	list_remove(p);
	host->done(host, p);
	free(p->arena);
	free(p);
}

static void timer_arm(struct probe *p, uint64_t now_ns)
{
	uint64_t due = p->deadline_ns, us;
	struct timeval tv;

	if (p->ops->expiry_ns)
		due = MIN(due, p->ops->expiry_ns(p));
	if (due == p->armed_ns)
		return;
	us = due > now_ns ? (due - now_ns) / NS_PER_US + 1 : 1;
	tv.tv_sec = (time_t)(us / 1000000);
	tv.tv_usec = (suseconds_t)(us % 1000000);
	if (evtimer_add(&p->timer, &tv) < 0)
		out_of_memory();
	p->armed_ns = due;
}

/* The step before took more memory than a probe may have: that is ours. */
static int over_budget(struct probe *p, int r)
{
	static const char text[] = "memory limit of one probe";

	if (!p->mem.over_limit || r == PROBE_DONE)
		return r;
	p->fail.outcome = OUTCOME_OK;
	fail_detail(&p->fail, text, sizeof(text) - 1);
	return fail_set(&p->fail, OUTCOME_LOCAL_RESOURCE, FOREIGN_NONE, 0);
}

/* The one place that re-arms, reports or ends a probe. */
static void probe_settle(struct probe *p, int r, uint64_t now_ns)
{
	memacct_enter(NULL);
	r = over_budget(p, r);
	if (r == -ENOMEM)
		out_of_memory();
	if (r == PROBE_GOING) {
		timer_arm(p, now_ns);
		return;
	}
	if (r < 0 && p->fail.outcome == OUTCOME_OK)
		fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
			 (uint64_t)-r);
	probe_end(p, now_ns);
}

static void on_timer(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		     void *arg)
{
	struct probe *p = arg;
	uint64_t now_ns = clock_mono_ns();
	int r = PROBE_GOING;

	p->armed_ns = 0;
	memacct_enter(&p->mem);
	if (now_ns >= p->deadline_ns)
		r = fail_set(&p->fail, p->ops->timeout_outcome(p), FOREIGN_NONE,
			     0);
	else if (p->ops->expiry_ns && now_ns >= p->ops->expiry_ns(p))
		r = p->ops->on_expiry(p, now_ns);
	probe_settle(p, r, now_ns);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	uint64_t now_ns = clock_mono_ns();

	memacct_enter(&p->mem);
	probe_settle(p, p->ops->on_ready(p, fd, what, now_ns), now_ns);
}

int probe_watch(struct probe *p, unsigned int i, short what)
{
	if (p->io[i].wants == what)
		return 0;
	if (p->io[i].wants)
		event_del(&p->io[i].ev);
	p->io[i].wants = 0;
	if (!what)
		return 0;
	if (event_assign(&p->io[i].ev, p->host->base, p->io[i].fd,
			 (short)(what | EV_PERSIST), on_event, p) < 0 ||
	    event_add(&p->io[i].ev, NULL) < 0)
		return fail_set(&p->fail, OUTCOME_LOCAL_RESOURCE, FOREIGN_ERRNO,
				(uint64_t)errno);
	p->io[i].wants = what;
	return 0;
}

int probe_request_socket(struct probe *p, const struct sockaddr_storage *to,
			 uint8_t proto)
{
	int r = p->host->request_socket(p->host, p, to, proto);

	return r < 0 ? fail_set(&p->fail, OUTCOME_LOCAL_RESOURCE, FOREIGN_ERRNO,
				(uint64_t)-r)
		     : 0;
}

/* That the supervisor will not connect to it is the proxy's doing: it named an
 * address that is not its own. */
static int socket_refused(struct probe *p, int error)
{
	static const char text[] = "proxy named an address not its own";

	if (error != -EACCES) {
		fail_errno(&p->fail, error, 1);
		return -EPROTO;
	}
	fail_set(&p->fail, OUTCOME_PROXY_PROTOCOL, FOREIGN_NONE, 0);
	fail_detail(&p->fail, text, sizeof(text) - 1);
	return -EPROTO;
}

void probe_socket_arrived(struct probe *p, int fd, int error)
{
	uint64_t now_ns = clock_mono_ns();
	int r;

	memacct_enter(&p->mem);
	if (error < 0) {
		r = socket_refused(p, error);
	} else if (p->io[1].fd >= 0) {
		fd_close_ptr(&fd); /* not asked for, or asked for twice */
		r = PROBE_GOING;
	} else {
		p->io[1].fd = fd;
		r = p->ops->on_ready(p, fd, EV_TIMEOUT, now_ns);
	}
	probe_settle(p, r, now_ns);
}

void probe_abort(struct probe *p, enum outcome o)
{
	memacct_enter(&p->mem);
	probe_settle(p, fail_set(&p->fail, o, FOREIGN_NONE, 0),
		     clock_mono_ns());
}

int probe_launch(struct probe_host *host, const struct job_spec *spec,
		 char *arena, int fd)
{
	const struct probe_ops *ops = probe_ops_for((enum job_kind)spec->kind);
	struct probe *p = ops ? calloc(1, sizeof(*p)) : NULL;
	uint64_t now_ns = clock_mono_ns();

	if (!p) {
		free(arena);
		fd_close_ptr(&fd);
		return ops ? -ENOMEM : -EINVAL;
	}
	p->ops = ops;
	p->host = host;
	p->spec = *spec;
	p->arena = arena;
	p->io[0].fd = fd;
	p->io[1].fd = -1;
	p->start_ns = now_ns;
	p->deadline_ns = now_ns + spec->deadline_ms * NS_PER_MS;
	p->mem.limit = host->heap_budget;
	evtimer_assign(&p->timer, host->base, on_timer, p);
	list_insert(p);
	memacct_enter(&p->mem);
	probe_settle(p, ops->start(p, now_ns), now_ns);
	return 0;
}
