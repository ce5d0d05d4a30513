/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/base.h"
#include "common/ctl_proto.h"
#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_probe.h"
#include "supervisor/ctl/ctl_request.h"

enum mood {
	MOOD_IDLE,    /* waits for a request */
	MOOD_WAITING, /* for a probe or an event of ours */
	MOOD_WRITING, /* a frame is on its way */
};

struct ctl_conn {
	const struct ctl_conn_env *env;
	struct ctl_peer peer;
	struct bufferevent *bev;
	struct event *deadline;
	enum mood mood;
	struct ctl_request request; /* being answered */
	bool has_request;	    /* more frames of it are to come */
	bool is_follow;		    /* with the next event */
	bool is_closing;	    /* after this frame */
	bool in_frame;		    /* the deadline is a frame's */
	uint64_t cursor;
};

static void conn_end(struct ctl_conn *c)
{
	const struct ctl_conn_env *env = c->env;

	env->on_gone(env->owner, c);
	ctl_conn_free(&c);
}

static void set_deadline(struct ctl_conn *c, uint32_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
			      .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (ms)
		event_add(c->deadline, &tv);
	else
		event_del(c->deadline);
}

static int send_text(struct ctl_conn *c, const char *text, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	uint8_t header[CTL_HEADER_LEN];

	if (ctl_frame_begin(header, len) < 0 ||
	    evbuffer_add(out, header, sizeof(header)) < 0 ||
	    evbuffer_add(out, text, len) < 0)
		return -ENOMEM;
	c->mood = MOOD_WRITING;
	set_deadline(c, c->env->write_timeout_ms);
	return 0;
}

static int send_call(struct ctl_conn *c, struct ctl_call *call, uint64_t id,
		     int r)
{
	auto_free char *text = NULL;
	size_t len = 0;

	text = ctl_call_format(call, id, r, &len);
	if (!text) {
		r = ctl_fail(call, -EMSGSIZE, NULL,
			     "the answer does not fit a frame");
		call->more = false;
		text = ctl_call_format(call, id, r, &len);
	}
	return text ? send_text(c, text, len) : -ENOMEM;
}

static void request_over(struct ctl_conn *c)
{
	ctl_request_clear(&c->request);
	c->has_request = c->is_follow = false;
	c->cursor = 0;
}

/* Run, or go on with, the request; queue one frame of its answer. */
static int conn_answer(struct ctl_conn *c, struct ctl_outcome *later)
{
	struct ctl_view view = { 0 };
	struct ctl_call call = {
		.view = &view,
		.ops = c->env->ops,
		.ctx = c->env->ctx,
		.args = c->request.args,
		.may_write = c->peer.may_write,
		.ticket = c->peer.id,
		.later = later,
		.cursor = c->cursor,
	};
	uint64_t id = c->request.id;
	int r;

	c->env->ops->view(c->env->ctx, &view);
	r = ctl_dispatch(&call, c->request.cmd);
	/* a reload replaces what the view points to */
	view = (struct ctl_view){ 0 };
	c->env->ops->view(c->env->ctx, &view);
	if (r == 0 && call.is_pending) {
		c->mood = MOOD_WAITING;
		set_deadline(c, 0);
		return 0;
	}
	c->cursor = call.cursor;
	c->has_request = r == 0 && call.more;
	c->is_follow = call.is_follow;
	if (!c->has_request)
		request_over(c);
	r = send_call(c, &call, id, r);
	ctl_call_clear(&call);
	return r;
}

static int refuse(struct ctl_conn *c, int r, const char *why)
{
	struct ctl_call call = { 0 };

	c->is_closing = true;
	ctl_fail(&call, r, NULL, "%s", why);
	return send_call(c, &call, c->request.id, r);
}

/* 1: a request was taken off the input, 0: none is whole, or -errno. */
static int take_request(struct ctl_conn *c, char *why, size_t cap)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	uint8_t header[CTL_HEADER_LEN];
	size_t have = evbuffer_get_length(in);
	const uint8_t *bytes;
	ssize_t len;
	int r;

	have = (size_t)evbuffer_copyout(in, header, MIN(have, sizeof(header)));
	len = ctl_frame_len(header, have);
	if (len == -EAGAIN)
		return 0;
	if (len < 0 || len > (ssize_t)CTL_REQUEST_MAX) {
		strncpy(why, "no frame that this side accepts", cap - 1);
		return -EBADMSG;
	}
	if (evbuffer_get_length(in) < CTL_HEADER_LEN + (size_t)len)
		return 0;
	bytes = evbuffer_pullup(in, (ssize_t)CTL_HEADER_LEN + len);
	if (!bytes)
		return -ENOMEM;
	r = ctl_request_parse((const char *)bytes + CTL_HEADER_LEN, (size_t)len,
			      &c->request, why, cap);
	evbuffer_drain(in, CTL_HEADER_LEN + (size_t)len);
	c->in_frame = false;
	return r < 0 ? r : 1;
}

/* From the first byte of a frame on, the clock is not set back. */
static void arm_idle(struct ctl_conn *c)
{
	bool part = evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;

	if (!part)
		set_deadline(c, c->env->idle_timeout_ms);
	else if (!c->in_frame)
		set_deadline(c, c->env->frame_timeout_ms);
	c->in_frame = part;
	c->mood = MOOD_IDLE;
}

/* Go on as far as possible without waiting. May free @c. */
static void conn_advance(struct ctl_conn *c)
{
	char why[CTL_TEXT_MAX] = "";
	int r = 0;

	if (c->is_closing) {
		conn_end(c);
		return;
	}
	if (c->has_request) {
		if (c->is_follow) {
			c->mood = MOOD_WAITING;
			set_deadline(c, 0);
			return;
		}
		r = conn_answer(c, NULL);
	} else {
		r = take_request(c, why, sizeof(why));
		if (r == 0)
			arm_idle(c);
		else if (r == -EBADMSG || r == -EPROTONOSUPPORT)
			r = refuse(c, r, why);
		else if (r > 0)
			r = conn_answer(c, NULL);
	}
	if (r < 0)
		conn_end(c);
}

static void on_read(struct bufferevent *bev DAE_UNUSED, void *arg)
{
	struct ctl_conn *c = arg;
	/* else it waits in the bounded buffer */
	if (c->mood == MOOD_IDLE)
		conn_advance(c);
}

/* The output buffer is empty. */
static void on_write(struct bufferevent *bev DAE_UNUSED, void *arg)
{
	struct ctl_conn *c = arg;

	if (c->mood == MOOD_WRITING)
		conn_advance(c);
}

static void on_event(struct bufferevent *bev DAE_UNUSED, short what DAE_UNUSED,
		     void *arg)
{
	conn_end(arg);
}

static void on_deadline(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	conn_end(arg);
}

int ctl_conn_new(struct ctl_conn **ret, const struct ctl_conn_env *env, int fd,
		 const struct ctl_peer *peer)
{
	struct ctl_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->env = env;
	c->peer = *peer;
	c->deadline = evtimer_new(env->base, on_deadline, c);
	if (c->deadline)
		c->bev = bufferevent_socket_new(env->base, fd,
						BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		ctl_conn_free(&c);
		return -ENOMEM;
	}
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0,
				 CTL_HEADER_LEN + CTL_REQUEST_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	set_deadline(c, env->idle_timeout_ms);
	*ret = c;
	return 0;
}

void ctl_conn_free(struct ctl_conn **c)
{
	struct ctl_conn *x = *c;

	if (!x)
		return;
	*c = NULL;
	ctl_request_clear(&x->request);
	if (x->bev)
		bufferevent_free(x->bev);
	if (x->deadline)
		event_free(x->deadline);
	free(x);
}

uid_t ctl_conn_uid(const struct ctl_conn *c)
{
	return c->peer.uid;
}

uint64_t ctl_conn_id(const struct ctl_conn *c)
{
	return c->peer.id;
}

void ctl_conn_notify(struct ctl_conn *c)
{
	if (c->mood != MOOD_WAITING || !c->has_request || !c->is_follow)
		return;
	c->is_follow = false;
	conn_advance(c);
}

void ctl_conn_resume(struct ctl_conn *c, struct ctl_outcome *later)
{
	if (c->mood != MOOD_WAITING || c->has_request)
		return; /* not the request that was made */
	if (conn_answer(c, later) < 0)
		conn_end(c);
}

void ctl_conn_probe_done(struct ctl_conn *c,
			 const struct ctl_probe_answer *answers, size_t count)
{
	struct ctl_view view = { 0 };
	struct ctl_call call = { .view = &view };
	uint64_t id = c->request.id;
	int r;

	if (c->mood != MOOD_WAITING || c->has_request)
		return; /* not the request that was made */
	c->env->ops->view(c->env->ctx, &view);
	r = ctl_done(&call, CTL_PROBE_SCHEMA,
		     ctl_probe_answers(&view, answers, count));
	request_over(c);
	r = send_call(c, &call, id, r);
	ctl_call_clear(&call);
	if (r < 0)
		conn_end(c);
}
