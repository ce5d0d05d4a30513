/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/wire.h"

/* Records read in one wake-up: a flooding peer waits its turn like others. */
#define READ_BURST 16
/* More than a socket's buffer holds: the smallest record counts 768 bytes. */
#define READ_REST 4096

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
};

struct queued {
	STAILQ_ENTRY(queued) link;
	size_t len, nfds;
	int fds[MSG_FDS_MAX];
	uint8_t bytes[];
};

struct chan {
	int fd;
	unsigned int state;
	unsigned int queue_len;
	unsigned int depth; /* callbacks running: the memory must stay */
	bool is_closed;	    /* on_close was called, or chan_free() */
	bool is_freed;
	uint64_t received;
	const struct msg_rule *rules;
	const struct chan_ops *ops;
	void *arg;
	struct event *read_ev, *write_ev;
	STAILQ_HEAD(, queued) queue;
};

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close_ptr(&fds[i]);
}

static void queued_free(struct queued *q)
{
	close_fds(q->fds, q->nfds);
	free(q);
}

/* No more events, no socket; the memory goes when no callback is running. */
static void shut(struct chan *c)
{
	struct queued *q;

	c->is_closed = true;
	if (c->read_ev)
		event_free(c->read_ev);
	if (c->write_ev)
		event_free(c->write_ev);
	c->read_ev = c->write_ev = NULL;
	fd_close_ptr(&c->fd);
	while ((q = STAILQ_FIRST(&c->queue))) {
		STAILQ_REMOVE_HEAD(&c->queue, link);
		queued_free(q);
	}
	c->queue_len = 0;
}

void chan_free(struct chan **cp)
{
	struct chan *c = TAKE_PTR(*cp);

	if (!c)
		return;
	shut(c);
	c->is_freed = true;
	if (c->depth == 0)
		free(c);
}

static void leave(struct chan *c)
{
	if (--c->depth == 0 && c->is_freed)
		free(c);
}

/* Under depth: the owner may free the channel in its callback. */
static void fail(struct chan *c, int error)
{
	if (c->is_closed)
		return;
	shut(c);
	c->ops->on_close(c->arg, error);
}

/* Every descriptor the kernel installed, however the peer arranged them. */
static size_t collect_fds(struct msghdr *m, int *fds, size_t cap)
{
	struct cmsghdr *cm;
	size_t n = 0, have;
	int fd;

	for (cm = CMSG_FIRSTHDR(m); cm; cm = CMSG_NXTHDR(m, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		have = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < have; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			       sizeof(fd));
			if (n < cap)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

static int deliver(struct chan *c, const uint8_t *buf, size_t len, int *fds,
		   size_t nfds)
{
	struct chan_in in = { .payload = buf + sizeof(struct msg_hdr),
			      .fds = fds,
			      .nfds = nfds };
	int r;

	r = msg_check(c->rules, c->state, buf, len, nfds, &in.hdr);
	if (r < 0)
		return r;
	in.len = len - sizeof(struct msg_hdr);
	c->received++;
	return c->ops->on_message(c->arg, &in);
}

/* One record. 1: more may wait; 0: none; negative: the channel is done for. */
static int read_one(struct chan *c)
{
	uint8_t buf[MSG_MAX];
	union control control;
	int fds[MSG_FDS_MAX];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	size_t nfds;
	ssize_t n;
	int r;

	n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && errno == ECONNRESET)
		return 1; /* it died with our messages unread; its own follow */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	nfds = collect_fds(&m, fds, MSG_FDS_MAX);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		r = -EBADMSG;
	else if (n == 0 && nfds == 0)
		r = -ESHUTDOWN; /* end of file: the only empty record */
	else
		r = deliver(c, buf, (size_t)n, fds, nfds);
	close_fds(fds, nfds);
	return r < 0 ? r : 1;
}

static void read_burst(struct chan *c, unsigned int max)
{
	int r = 1;

	c->depth++;
	for (unsigned int i = 0; i < max && r > 0 && !c->is_closed; i++)
		r = read_one(c);
	if (r < 0)
		fail(c, r == -ESHUTDOWN ? 0 : r);
	leave(c);
}

static void on_readable(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	read_burst(arg, READ_BURST);
}

void chan_read_rest(struct chan *c)
{
	if (!c->is_closed)
		read_burst(c, READ_REST);
}

static int send_now(int fd, const uint8_t *bytes, size_t len, const int *fds,
		    size_t nfds)
{
	union control control;
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nfds * sizeof(int));
	}
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* Too many sockets on their way: they arrive, then there is room. */
	if (errno == EINTR || errno == ETOOMANYREFS)
		return -EAGAIN;
	return -errno;
}

static void on_writable(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	struct chan *c = arg;
	struct queued *q;
	int r = 0;

	c->depth++;
	while (r == 0 && (q = STAILQ_FIRST(&c->queue))) {
		r = send_now(c->fd, q->bytes, q->len, q->fds, q->nfds);
		if (r < 0)
			break;
		STAILQ_REMOVE_HEAD(&c->queue, link);
		c->queue_len--;
		queued_free(q);
	}
	if (r == 0) {
		event_del(c->write_ev);
		if (c->ops->on_flushed)
			c->ops->on_flushed(c->arg);
	} else if (r != -EAGAIN) {
		fail(c, r);
	}
	leave(c);
}

static int enqueue(struct chan *c, const uint8_t *bytes, size_t len,
		   const struct chan_out *out)
{
	struct queued *q;

	if (c->queue_len >= CHAN_QUEUE_MAX)
		return -ENOBUFS;
	q = malloc(sizeof(*q) + len);
	if (!q)
		return -ENOMEM;
	if (STAILQ_EMPTY(&c->queue) && event_add(c->write_ev, NULL) < 0) {
		free(q);
		return -ENOMEM;
	}
	q->len = len;
	q->nfds = out->nfds;
	if (out->nfds)
		memcpy(q->fds, out->fds, out->nfds * sizeof(int));
	memcpy(q->bytes, bytes, len);
	STAILQ_INSERT_TAIL(&c->queue, q, link);
	c->queue_len++;
	return 0;
}

int chan_send(struct chan *c, const struct chan_out *out)
{
	uint8_t buf[MSG_MAX];
	struct wcur w;
	int r;

	if (c->is_closed)
		return -EPIPE;
	if (out->nfds > MSG_FDS_MAX)
		return -EMSGSIZE;
	wcur_init(&w, buf, sizeof(buf));
	wcur_u16(&w, out->type);
	wcur_u16(&w, MSG_VERSION);
	wcur_u32(&w, out->request_id);
	wcur_bytes(&w, out->payload, out->len);
	r = wcur_finish(&w);
	if (r < 0)
		return r;
	r = -EAGAIN;
	if (STAILQ_EMPTY(&c->queue))
		r = send_now(c->fd, buf, w.len, out->fds, out->nfds);
	if (r == -EAGAIN)
		return enqueue(c, buf, w.len, out);
	if (r < 0)
		return r == -ECONNRESET ? -EPIPE : r;
	for (size_t i = 0; i < out->nfds; i++)
		close(out->fds[i]);
	return 0;
}

int chan_new(struct chan **ret, struct event_base *base, int fd,
	     const struct msg_rule *rules, const struct chan_ops *ops,
	     void *arg)
{
	auto_chan struct chan *c = NULL;
	auto_fd int owned = fd;
	int r;

	r = fd_set_nonblock(owned);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fd = TAKE_FD(owned);
	c->rules = rules;
	c->ops = ops;
	c->arg = arg;
	STAILQ_INIT(&c->queue);
	c->read_ev = event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable,
			       c);
	c->write_ev = event_new(base, c->fd, EV_WRITE | EV_PERSIST, on_writable,
				c);
	if (!c->read_ev || !c->write_ev || event_add(c->read_ev, NULL) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(c);
	return 0;
}

void chan_set_state(struct chan *c, unsigned int state)
{
	c->state = state;
}

bool chan_is_backlogged(const struct chan *c)
{
	return c->queue_len > 0;
}

uint64_t chan_received(const struct chan *c)
{
	return c->received;
}
