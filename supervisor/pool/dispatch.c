/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "supervisor/pool/pool_private.h"
#include "supervisor/pool/result_check.h"

/* Further sockets a job may ask for: one UDP association, one second try. */
#define SOCKETS_PER_JOB 2

void batch_reset(struct batch *b)
{
	for (uint32_t i = 0; i < b->count; i++)
		fd_close_ptr(&b->fds[i]);
	b->count = 0;
	wcur_init(&b->w, b->bytes, sizeof(b->bytes));
	wcur_u16(&b->w, 0); /* the count, filled in when it is sent */
}

static void kill_stuck(struct place *pl)
{
	place_event(pl, &(struct slot_input){ .event = SLOT_EV_KILL,
					      .reason = RECYCLE_STUCK });
	pool_schedule_plan(pl->pool);
}

void dispatch_flush_place(struct place *pl)
{
	struct batch *b = &pl->batch;
	struct wcur count;
	int r = -EPIPE;

	if (b->count == 0)
		return;
	wcur_init(&count, b->bytes, sizeof(uint16_t));
	wcur_u16(&count, (uint16_t)b->count);
	if (pl->chan)
		r = chan_send(pl->chan, &(struct chan_out){ .type = MSG_JOBS,
							    .payload = b->bytes,
							    .len = b->w.len,
							    .fds = b->fds,
							    .nfds = b->count });
	if (r == 0) {
		b->count = 0; /* the descriptors went with the message */
		batch_reset(b);
	} else if (r != -EPIPE) {
		kill_stuck(pl); /* takes the batch back */
	} /* else it is dead, and its exit takes the batch back */
}

void dispatch_flush(struct pool *p)
{
	for (uint32_t i = 0; i < p->crew.count; i++)
		dispatch_flush_place(&p->places[i]);
}

void dispatch_give_back(struct place *pl, bool blame)
{
	struct pool *p = pl->pool;
	struct pool_lost lost = { .place = pl->index,
				  .generation = place_slot(pl)->generation,
				  .blame = blame };
	uint32_t ids[MSG_JOBS_MAX], n = pl->batch.count, dropped;

	memcpy(ids, pl->batch.ids, sizeof(ids));
	batch_reset(&pl->batch);
	dropped = inflight_drop_place(p->inflight, pl->index);
	/* less than n: it answered for jobs that it had not been given yet */
	lost.jobs = dropped > n ? dropped - n : 0;
	for (uint32_t i = 0; i < n; i++)
		p->config.ops->on_unsent(p->config.arg, ids[i]);
	if (lost.jobs)
		p->config.ops->on_lost(p->config.arg, &lost);
}

static bool is_quic(unsigned int kind)
{
	return kind == JOB_QUIC || kind == JOB_H3 || kind == JOB_DNS_H3 ||
	       kind == JOB_DNS_QUIC;
}

static int describe(const struct pool *p, const struct pool_job *job,
		    struct inflight *ret)
{
	const struct job_spec *s = job->spec;

	if (job->iface && strlen(job->iface) >= sizeof(ret->iface))
		return -EINVAL;
	*ret = (struct inflight){
		.id = s->id,
		.kind = s->kind,
		.via = s->via,
		.deadline_ns = clock_mono_ns() + s->deadline_ms * NS_PER_MS,
		.socket = { .peer = s->peer,
			    .proto = s->proto,
			    .is_quic = is_quic(s->kind),
			    .is_literal = job->is_literal,
			    .mark = job->mark | p->config.so_mark,
			    .source = job->source },
	};
	if (job->iface)
		strcpy(ret->iface, job->iface);
	ret->socket.iface = ret->iface[0] ? ret->iface : NULL;
	return 0;
}

/* Encoded behind what waits already; a full batch is sent first. */
static int append(struct place *pl, const struct job_spec *spec)
{
	struct batch *b = &pl->batch;
	struct wcur before;
	int r;

	if (b->count == MSG_JOBS_MAX)
		dispatch_flush_place(pl);
	before = b->w;
	r = job_encode(&b->w, spec);
	if (r == -EMSGSIZE && b->count) {
		b->w = before;
		dispatch_flush_place(pl);
		before = b->w;
		r = job_encode(&b->w, spec);
	}
	if (r < 0)
		b->w = before;
	if (b->count == MSG_JOBS_MAX || place_slot(pl)->state != SLOT_READY)
		return -EAGAIN; /* it went away under the flush */
	return r;
}

static int open_socket(const struct inflight *j, struct pool_sent *ret)
{
	int fd = probe_socket_open(&j->socket);

	if (fd >= 0)
		return fd;
	ret->error = -fd;
	ret->outcome = probe_socket_outcome(fd);
	return -ECOMM;
}

int pool_dispatch(struct pool *p, const struct pool_job *job,
		  struct pool_sent *ret)
{
	int index = p->is_settling ? -EAGAIN
				   : crew_pick(&p->crew, job->is_solo);
	struct place *pl;
	auto_fd int fd = -1;
	struct inflight j;
	int r;

	if (index < 0)
		return -EAGAIN;
	pl = &p->places[index];
	if (p->crew.places[index].in_flight >= p->in_flight_max)
		return -EAGAIN;
	r = describe(p, job, &j);
	if (r < 0)
		return r;
	j.place = ret->place = pl->index;
	j.generation = ret->generation = place_slot(pl)->generation;
	if (inflight_find(p->inflight, j.id))
		return -EEXIST;
	fd = open_socket(&j, ret);
	if (fd < 0)
		return fd;
	r = append(pl, job->spec);
	if (r < 0)
		return r;
	r = inflight_add(p->inflight, &j);
	if (r < 0)
		return r;
	pl->batch.ids[pl->batch.count] = j.id;
	pl->batch.fds[pl->batch.count++] = TAKE_FD(fd);
	crew_job_sent(&p->crew, pl->index, job->is_solo);
	event_active(p->flush_ev, EV_TIMEOUT, 0);
	return 0;
}

static void finish(struct place *pl, const struct result *r, struct inflight *j)
{
	struct pool *p = pl->pool;

	inflight_remove(p->inflight, j);
	crew_job_done(&p->crew, pl->index);
	p->crew.places[pl->index].meter.probes++;
	p->config.ops->on_result(p->config.arg, pl->index,
				 place_slot(pl)->generation, r);
}

/* All are checked before any is believed. */
int dispatch_results(struct place *pl, const struct chan_in *in)
{
	uint32_t generation = place_slot(pl)->generation;
	size_t n = in->len / sizeof(struct result);
	struct inflight_table *t = pl->pool->inflight;
	struct inflight *j;
	struct result r;

	for (size_t i = 0; i < n; i++) {
		if (result_read(in->payload, in->len, i, &r) < 0)
			return -EBADMSG;
		j = inflight_match(t, r.job_id, pl->index, generation);
		if (j && result_fits_kind(&r, j->kind) < 0)
			return -EBADMSG;
	}
	for (size_t i = 0; i < n; i++) {
		result_read(in->payload, in->len, i, &r);
		j = inflight_match(t, r.job_id, pl->index, generation);
		if (j) /* else cancelled, reported twice, or not its job */
			finish(pl, &r, j);
	}
	return 0;
}

/*
 * The policy for what a worker asks for: only the node that the job's own
 * socket leads to, and beyond its port only for the datagrams of a SOCKS5
 * proxy, whose answer names another. "Unspecified" means the node.
 */
static int answer_request(struct inflight *j, const struct socket_request *q)
{
	struct probe_socket s = j->socket;
	struct addr want = { .family = q->family }, node;
	struct sockaddr_storage wire = { 0 };
	uint16_t port, ignored;

	addr_from_sockaddr(&s.peer, &node, &port);
	if ((q->family != 4 && q->family != 6) || q->port == 0 ||
	    (q->proto != IPPROTO_UDP && q->proto != IPPROTO_TCP))
		return -EINVAL;
	memcpy(want.b, q->addr, sizeof(want.b));
	addr_to_sockaddr(&want, q->port, &wire);
	addr_from_sockaddr(&wire, &want, &ignored); /* one spelling */
	if (addr_is_unspecified(&want))
		want = node;
	if (!addr_equal(&want, &node))
		return -EACCES;
	if (q->port != port &&
	    (j->via != JOB_VIA_SOCKS5 || q->proto != IPPROTO_UDP))
		return -EACCES;
	if (j->sockets >= SOCKETS_PER_JOB)
		return -EDQUOT;
	j->sockets++;
	addr_to_sockaddr(&want, q->port, &s.peer);
	s.proto = q->proto;
	return probe_socket_open(&s);
}

int dispatch_socket_request(struct place *pl, const struct chan_in *in)
{
	uint32_t generation = place_slot(pl)->generation;
	struct socket_request q;
	struct socket_reply reply;
	struct inflight *j;
	auto_fd int fd = -ESTALE;
	int r;

	memcpy(&q, in->payload, sizeof(q));
	j = inflight_match(pl->pool->inflight, q.job_id, pl->index, generation);
	if (j)
		fd = answer_request(j, &q);
	reply = (struct socket_reply){ .job_id = q.job_id,
				       .error = fd < 0 ? fd : 0 };
	r = chan_send(pl->chan,
		      &(struct chan_out){ .type = MSG_SOCKET,
					  .request_id = in->hdr.request_id,
					  .payload = &reply,
					  .len = sizeof(reply),
					  .fds = &fd,
					  .nfds = fd >= 0 });
	if (r == 0)
		fd = -1; /* sent, or none */
	return r == -EPIPE ? 0 : r;
}

int pool_cancel(struct pool *p, uint32_t job_id)
{
	struct inflight *j = inflight_find(p->inflight, job_id);
	struct cancel msg = { .job_id = job_id };
	struct place *pl;

	if (!j)
		return -ENOENT;
	pl = &p->places[j->place];
	dispatch_flush_place(pl); /* the job first, then its end */
	j = inflight_find(p->inflight, job_id);
	if (!j)
		return -ENOENT; /* given back by the flush */
	inflight_remove(p->inflight, j);
	crew_job_done(&p->crew, pl->index);
	if (pl->chan &&
	    chan_send(pl->chan, &(struct chan_out){ .type = MSG_CANCEL,
						    .payload = &msg,
						    .len = sizeof(msg) }) < 0)
		return 0; /* a worker that is going forgets it anyway */
	return 0;
}
