/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/stream.h"

#include <stdlib.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "common/base.h"

/* Bytes taken in a row before others have their turn: readiness is level
 * triggered, so that saying "not now" costs nothing but the way round. */
#define BURST_MAX (256 << 10)

struct tcp_stream {
	struct stream s;
	int fd;
	size_t burst;
	int write_error; /* errno of a write that found it closed */
	uint32_t *tx, *rx;
};

int stream_connect(struct stream *s)
{
	int r;

	if (s->is_up)
		return 0;
	if (s->lower) {
		r = stream_connect(s->lower);
		if (r < 0)
			return r;
	}
	r = s->ops->connect(s);
	if (r == 0)
		s->is_up = true;
	return r;
}

ssize_t stream_read(struct stream *s, void *buf, size_t len)
{
	return s->ops->read(s, buf, len);
}

ssize_t stream_write(struct stream *s, const void *buf, size_t len)
{
	return s->ops->write(s, buf, len);
}

/* Only the socket ever waits, for whatever layer above it. */
short stream_wants(const struct stream *s)
{
	while (s->lower)
		s = s->lower;
	return s->wants;
}

void stream_free(struct stream **s)
{
	struct stream *lower;

	while (*s) {
		lower = (*s)->lower;
		(*s)->ops->free(*s);
		*s = lower;
	}
}

static int tcp_pending_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return errno;
	return err;
}

/* Asks for the state itself: a connection that stood and was reset meanwhile
 * looks to getpeername() like one that is not there yet. */
static int tcp_connect(struct stream *s)
{
	struct tcp_stream *t = (struct tcp_stream *)s;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info.tcpi_state);
	int err = tcp_pending_error(t->fd);

	if (err)
		return fail_errno(s->fail, err, 1);
	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return fail_errno(s->fail, errno, 1);
	if (info.tcpi_state == TCP_CLOSE)
		return fail_errno(s->fail, ECONNRESET, 1);
	s->wants = EV_WRITE;
	if (info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_SYN_RECV)
		return -EAGAIN;
	return 0;
}

static ssize_t tcp_read(struct stream *s, void *buf, size_t len)
{
	struct tcp_stream *t = (struct tcp_stream *)s;
	ssize_t n;

	s->wants = EV_READ;
	if (t->burst >= BURST_MAX) {
		t->burst = 0;
		return -EAGAIN;
	}
	n = recv(t->fd, buf, len, MSG_DONTWAIT);
	if (n <= 0 && t->write_error)
		return fail_errno(s->fail, t->write_error, 0);
	if (n < 0) {
		t->burst = 0;
		return fail_errno(s->fail, errno, 0);
	}
	t->burst += (size_t)n;
	*t->rx += (uint32_t)n;
	return n;
}

/*
 * A peer that closes while we write may have said why (an alert, an error
 * page), and that is still to be read: the write passes for done, and its
 * failure is what the reader gets at the end.
 */
static ssize_t tcp_write(struct stream *s, const void *buf, size_t len)
{
	struct tcp_stream *t = (struct tcp_stream *)s;
	ssize_t n;

	if (t->write_error)
		return (ssize_t)len;
	n = send(t->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		t->write_error = errno;
		return (ssize_t)len;
	}
	if (n < 0) {
		s->wants = EV_WRITE;
		return fail_errno(s->fail, errno, 0);
	}
	*t->tx += (uint32_t)n;
	return n;
}

static void tcp_free(struct stream *s)
{
	free(s);
}

static const struct stream_ops tcp_ops = {
	.name = "tcp",
	.connect = tcp_connect,
	.read = tcp_read,
	.write = tcp_write,
	.free = tcp_free,
};

int stream_tcp_new(struct stream **ret, int fd, struct fail *fail, uint32_t *tx,
		   uint32_t *rx)
{
	struct tcp_stream *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->s.ops = &tcp_ops;
	t->s.fail = fail;
	t->fd = fd;
	t->tx = tx;
	t->rx = rx;
	*ret = &t->s;
	return 0;
}
