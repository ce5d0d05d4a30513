/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/probe/quic_run.h"

#include <string.h>

#include "common/base.h"

void *quic_run_alloc(struct probe *p, const struct quic_kind *kind, size_t size)
{
	struct quic_run *run = memacct_calloc(&p->mem, 1, size);

	if (run) {
		run->kind = kind;
		run->arg = run;
	}
	p->priv = run;
	return run;
}

int quic_run_no_memory(struct probe *p)
{
	return fail_set(&p->fail, OUTCOME_LOCAL_RESOURCE, FOREIGN_NONE, 0);
}

static const struct sockaddr_storage *target_of(const struct probe *p)
{
	return p->spec.via == JOB_VIA_DIRECT ? &p->spec.peer : &p->spec.target;
}

static int connection_new(struct probe *p, struct quic_run *run,
			  uint64_t now_ns)
{
	const struct job_spec *spec = &p->spec;
	const struct quic_kind *kind = run->kind;
	struct quic_config config = {
		.tls = p->host->tls,
		.peer = {
			.name = spec->str[JOB_STR_SNI],
			.addr = target_of(p),
			.alpn = kind->alpn ? kind->alpn :
					     spec->str[JOB_STR_ALPN],
			.insecure = spec->flags & JOB_INSECURE,
			.clock_unset = spec->flags & JOB_CLOCK_UNSET,
		},
		.dgram = path_dgram(run->path),
		.fail = &p->fail,
		.mem = &p->mem,
		.app = kind->app,
		.arg = run->arg,
		.no_error = kind->no_error,
		.peer_uni = kind->peer_uni,
		/* Ours is the deadline; a shorter one is the peer's. */
		.idle_ns = 2ULL * spec->deadline_ms * NS_PER_MS,
	};
	int r;

	r = quic_new(&run->quic, &config, now_ns);
	if (r == 0 && kind->attach)
		kind->attach(run, run->quic);
	return r;
}

/* What was learned on the way goes into the result, however it ends. */
static int note(struct probe *p, struct quic_run *run, int r, uint64_t now_ns)
{
	struct quic *q = run->quic;
	int w;

	if (!q)
		return r;
	p->res.cert_not_after = quic_cert_not_after(q);
	if (quic_is_verified(q) && !p->res.phase_us[PHASE_HANDSHAKE])
		probe_phase(p, PHASE_HANDSHAKE, now_ns);
	if (r != PROBE_GOING)
		return r;
	w = probe_watch(p, path_io(run->path),
			quic_wants_write(q) ? EV_READ | EV_WRITE : EV_READ);
	return w < 0 ? fail_errno(&p->fail, -w, 0) : PROBE_GOING;
}

static int connection_begin(struct probe *p, uint64_t now_ns)
{
	struct quic_run *run = p->priv;
	int r = path_step(run->path, now_ns);

	if (r == -EAGAIN)
		return PROBE_GOING;
	if (r == 0)
		r = connection_new(p, run, now_ns);
	if (r == 0)
		r = quic_write(run->quic, now_ns);
	return note(p, run, r, now_ns);
}

int quic_run_start(struct probe *p, uint64_t now_ns)
{
	struct quic_run *run = p->priv;
	int r = path_new_dgram(&run->path, p);

	return r < 0 ? r : connection_begin(p, now_ns);
}

int quic_run_on_ready(struct probe *p, int fd, short what, uint64_t now_ns)
{
	struct quic_run *run = p->priv;
	int r = 0;

	(void)fd;
	if (!run->quic)
		return connection_begin(p, now_ns);
	if (what & EV_READ)
		r = quic_read(run->quic, now_ns);
	if (r == 0)
		r = run->kind->judge(p, now_ns);
	if (r == PROBE_GOING)
		r = quic_write(run->quic, now_ns);
	return note(p, run, r, now_ns);
}

int quic_run_on_expiry(struct probe *p, uint64_t now_ns)
{
	struct quic_run *run = p->priv;

	if (!run->quic)
		return PROBE_GOING;
	return note(p, run, quic_expire(run->quic, now_ns), now_ns);
}

uint64_t quic_run_expiry_ns(const struct probe *p)
{
	const struct quic_run *run = p->priv;

	return run->quic ? quic_expiry_ns(run->quic) : UINT64_MAX;
}

enum outcome quic_run_timeout_outcome(const struct probe *p)
{
	const struct quic_run *run = p->priv;

	if (!run->quic)
		return path_timeout_outcome(run->path);
	return quic_is_verified(run->quic) ? OUTCOME_RESPONSE_TIMEOUT
					   : OUTCOME_QUIC_TIMEOUT;
}

void quic_run_stop(struct probe *p)
{
	struct quic_run *run = p->priv;

	if (!run)
		return;
	if (run->quic)
		quic_close(run->quic);
	if (run->kind->clear)
		run->kind->clear(run);
	quic_free(&run->quic);
	path_free(&run->path);
	memacct_free(run);
	p->priv = NULL;
}
