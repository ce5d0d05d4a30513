/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/tls.h"

#include <stdlib.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "common/base.h"

struct tls_stream {
	struct stream s;
	struct tls_session session;
	bool lower_ended; /* the peer closed below us */
};

/* The lower layer's answer in wolfSSL's words. */
static int io_result(ssize_t n)
{
	return n == -EAGAIN ? WOLFSSL_CBIO_ERR_WANT_READ
			    : WOLFSSL_CBIO_ERR_GENERAL;
}

static int io_recv(WOLFSSL *ssl DAE_UNUSED, char *buf, int len, void *arg)
{
	struct tls_stream *t = arg;
	ssize_t n = stream_read(t->s.lower, buf, (size_t)len);

	if (n > 0)
		return (int)n;
	if (n < 0)
		return io_result(n);
	t->lower_ended = true;
	return WOLFSSL_CBIO_ERR_CONN_CLOSE;
}

static int io_send(WOLFSSL *ssl DAE_UNUSED, char *buf, int len, void *arg)
{
	struct tls_stream *t = arg;
	ssize_t n = stream_write(t->s.lower, buf, (size_t)len);

	if (n == -EAGAIN)
		return WOLFSSL_CBIO_ERR_WANT_WRITE;
	return n < 0 ? io_result(n) : (int)n;
}

/* A call of wolfSSL did not succeed: -EAGAIN, or failed. */
static int judge(struct tls_stream *t, int ret)
{
	int err = wolfSSL_get_error(t->session.ssl, ret);

	if (err == WOLFSSL_ERROR_WANT_READ || err == WOLFSSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	if (t->s.fail->outcome != OUTCOME_OK)
		return -EPROTO; /* the socket's failure, already named */
	if (t->lower_ended)
		return fail_set(t->s.fail, OUTCOME_CLOSED, FOREIGN_NONE, 0);
	return tls_session_fail(&t->session, err, -1, t->s.fail);
}

static int tls_connect(struct stream *s)
{
	struct tls_stream *t = (struct tls_stream *)s;
	int r = wolfSSL_connect(t->session.ssl);

	if (r != WOLFSSL_SUCCESS)
		return judge(t, r);
	return tls_session_check(&t->session, s->fail);
}

static ssize_t tls_read(struct stream *s, void *buf, size_t len)
{
	struct tls_stream *t = (struct tls_stream *)s;
	int n = wolfSSL_read(t->session.ssl, buf, (int)MIN(len, 1UL << 20));

	if (n > 0)
		return n;
	/* An end without close_notify is the server's bad manners, common and
	 * harmless where the answer says its own length. */
	if (t->lower_ended && s->fail->outcome == OUTCOME_OK)
		return 0;
	if (wolfSSL_get_error(t->session.ssl, n) == WOLFSSL_ERROR_ZERO_RETURN)
		return 0;
	return judge(t, n);
}

static ssize_t tls_write(struct stream *s, const void *buf, size_t len)
{
	struct tls_stream *t = (struct tls_stream *)s;
	int n = wolfSSL_write(t->session.ssl, buf, (int)MIN(len, 1UL << 20));

	return n > 0 ? n : judge(t, n);
}

static void tls_free(struct stream *s)
{
	struct tls_stream *t = (struct tls_stream *)s;

	tls_session_clear(&t->session);
	free(t);
}

static const struct stream_ops tls_ops = {
	.name = "tls",
	.connect = tls_connect,
	.read = tls_read,
	.write = tls_write,
	.free = tls_free,
};

int tls_stream_new(struct stream **ret, struct stream *lower, struct tls_ctx *t,
		   const struct tls_peer *peer)
{
	struct tls_stream *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	r = tls_session_init(&n->session, t, TLS_OVER_TCP, peer);
	if (r < 0) {
		free(n);
		return r;
	}
	wolfSSL_SSLSetIORecv(n->session.ssl, io_recv);
	wolfSSL_SSLSetIOSend(n->session.ssl, io_send);
	wolfSSL_SetIOReadCtx(n->session.ssl, n);
	wolfSSL_SetIOWriteCtx(n->session.ssl, n);
	n->s.ops = &tls_ops;
	n->s.fail = lower->fail;
	n->s.lower = lower;
	*ret = &n->s;
	return 0;
}

int64_t tls_stream_not_after(const struct stream *s)
{
	return ((const struct tls_stream *)s)->session.cert_not_after;
}
