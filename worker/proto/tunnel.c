/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/proto/proto.h"

#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define READ_SIZE 1024

struct tunnel {
	struct stream s;
	struct proto_dialog d;
	bool has_data;		   /* a byte of the target came */
	size_t rest_len, rest_off; /* read too far: the tunnel's first bytes */
	uint8_t rest[READ_SIZE];
};

int proto_dialog_start(struct proto_dialog *d, const struct proto_ops *ops,
		       const struct proto_dest *dest, struct fail *fail)
{
	memset(d, 0, sizeof(*d));
	d->ops = ops;
	d->dest = *dest;
	d->fail = fail;
	return ops->start(d);
}

static int flush(struct tunnel *t)
{
	struct proto_dialog *d = &t->d;
	ssize_t n;

	while (d->out_off < d->out_len) {
		n = stream_write(t->s.lower, d->out + d->out_off,
				 d->out_len - d->out_off);
		if (n < 0)
			return (int)n;
		d->out_off += (size_t)n;
	}
	return 0;
}

static int tunnel_connect(struct stream *s)
{
	struct tunnel *t = (struct tunnel *)s;
	ssize_t n, used;
	int r;

	for (;;) {
		r = flush(t);
		if (r < 0)
			return r;
		if (t->d.is_done)
			return 0;
		n = stream_read(s->lower, t->rest, sizeof(t->rest));
		if (n < 0)
			return (int)n;
		if (n == 0)
			return t->d.ops->closed(&t->d);
		used = t->d.ops->input(&t->d, t->rest, (size_t)n);
		if (used < 0)
			return (int)used;
		t->rest_off = (size_t)used;
		t->rest_len = (size_t)n;
	}
}

/*
 * Some proxies say yes before they dial: a tunnel that ends before its first
 * byte is their way to say that the target was not reached.
 */
static ssize_t target_lost(struct tunnel *t, ssize_t n)
{
	struct fail *f = t->s.fail;

	if (t->has_data || n == -EAGAIN)
		return n;
	if (n == 0)
		fail_set(f, OUTCOME_PROXY_TARGET, FOREIGN_NONE, 0);
	else if (f->outcome == OUTCOME_RESET)
		f->outcome = OUTCOME_PROXY_TARGET;
	else
		return n;
	fail_detail(f, "proxy said yes, then closed", 27);
	return -EPROTO;
}

static ssize_t tunnel_read(struct stream *s, void *buf, size_t len)
{
	struct tunnel *t = (struct tunnel *)s;
	size_t have = t->rest_len - t->rest_off;
	ssize_t n;

	if (have) {
		len = MIN(len, have);
		memcpy(buf, t->rest + t->rest_off, len);
		t->rest_off += len;
		t->has_data = true;
		return (ssize_t)len;
	}
	n = stream_read(s->lower, buf, len);
	if (n <= 0)
		return target_lost(t, n);
	t->has_data = true;
	return n;
}

static ssize_t tunnel_write(struct stream *s, const void *buf, size_t len)
{
	ssize_t n = stream_write(s->lower, buf, len);

	return n < 0 ? target_lost((struct tunnel *)s, n) : n;
}

static void tunnel_free(struct stream *s)
{
	struct tunnel *t = (struct tunnel *)s;

	t->d.ops->stop(&t->d);
	free(t);
}

static const struct stream_ops tunnel_ops = {
	.name = "tunnel",
	.connect = tunnel_connect,
	.read = tunnel_read,
	.write = tunnel_write,
	.free = tunnel_free,
};

int proto_tunnel_new(struct stream **ret, struct stream *lower,
		     const struct proto_ops *ops, const struct proto_dest *dest)
{
	struct tunnel *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->s.ops = &tunnel_ops;
	t->s.fail = lower->fail;
	r = proto_dialog_start(&t->d, ops, dest, lower->fail);
	if (r < 0) {
		tunnel_free(&t->s);
		return r;
	}
	t->s.lower = lower;
	*ret = &t->s;
	return 0;
}

const struct proto_dialog *proto_tunnel_dialog(const struct stream *s)
{
	return &((const struct tunnel *)s)->d;
}
