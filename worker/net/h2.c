/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/h2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <nghttp2/nghttp2.h>

#include "common/base.h"

#define READ_SIZE 4096
#define HEADER_LIST_MAX 16384
#define READS_MAX 64 /* in one step: others have their turn, too */

struct h2 {
	struct stream *s;
	nghttp2_session *session;
	nghttp2_mem mem;
	struct h2_request req;
	size_t sent; /* of the request's body */
	int32_t id;
	bool is_done, wants_write;
	uint16_t status;
	char content_type[64];
	uint8_t *body;
	size_t body_len, body_cap;
};

static int fail_code(struct h2 *h, enum outcome o, const char *what,
		     uint32_t code)
{
	char text[MSG_DETAIL_MAX];
	int n;

	fail_set(h->s->fail, o, FOREIGN_NONE, 0);
	n = snprintf(text, sizeof(text), "h2: %s %s", what,
		     nghttp2_http2_strerror(code));
	fail_detail(h->s->fail, text, (size_t)n);
	return -EPROTO;
}

static enum outcome outcome_of_code(uint32_t code)
{
	switch (code) {
	case NGHTTP2_REFUSED_STREAM:
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return OUTCOME_BUSY;
	case NGHTTP2_NO_ERROR:
	case NGHTTP2_CANCEL:
	case NGHTTP2_INTERNAL_ERROR:
		return OUTCOME_CLOSED;
	default:
		return OUTCOME_HTTP_MALFORMED;
	}
}

static ssize_t on_send(nghttp2_session *session DAE_UNUSED, const uint8_t *data,
		       size_t len, int flags DAE_UNUSED, void *arg)
{
	struct h2 *h = arg;
	ssize_t n = stream_write(h->s, data, len);

	if (n >= 0)
		return n;
	h->wants_write = n == -EAGAIN;
	return n == -EAGAIN ? NGHTTP2_ERR_WOULDBLOCK
			    : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session DAE_UNUSED,
		     const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len,
		     uint8_t flags DAE_UNUSED, void *arg)
{
	struct h2 *h = arg;
	size_t n = MIN(value_len, sizeof(h->content_type) - 1);

	if (frame->hd.stream_id != h->id)
		return 0;
	/* nghttp2 has checked that :status is three digits. */
	if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
		h->status = (uint16_t)atoi((const char *)value);
	} else if (name_len == 12 && memcmp(name, "content-type", 12) == 0) {
		memcpy(h->content_type, value, n);
		h->content_type[n] = '\0';
	}
	return 0;
}

static int on_data(nghttp2_session *session DAE_UNUSED,
		   uint8_t flags DAE_UNUSED, int32_t id, const uint8_t *data,
		   size_t len, void *arg)
{
	struct h2 *h = arg;
	size_t cap = MAX(h->body_cap, (size_t)512);
	uint8_t *p;

	if (id != h->id)
		return 0;
	len = MIN(len, H2_BODY_MAX - h->body_len);
	while (cap < h->body_len + len)
		cap *= 2;
	if (cap != h->body_cap) {
		p = realloc(h->body, cap);
		if (!p)
			return NGHTTP2_ERR_NOMEM;
		h->body = p;
		h->body_cap = cap;
	}
	memcpy(h->body + h->body_len, data, len);
	h->body_len += len;
	return 0;
}

static int on_stream_close(nghttp2_session *session DAE_UNUSED, int32_t id,
			   uint32_t code, void *arg)
{
	struct h2 *h = arg;

	if (id != h->id)
		return 0;
	if (code == NGHTTP2_NO_ERROR && h->status >= 200) {
		h->is_done = true;
		return 0;
	}
	fail_code(h, outcome_of_code(code), "stream closed:", code);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session DAE_UNUSED,
		    const nghttp2_frame *frame, void *arg)
{
	struct h2 *h = arg;

	if (frame->hd.type != NGHTTP2_GOAWAY ||
	    frame->goaway.last_stream_id >= h->id)
		return 0;
	fail_code(h, outcome_of_code(frame->goaway.error_code),
		  "GOAWAY:", frame->goaway.error_code);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t on_body_read(nghttp2_session *session DAE_UNUSED,
			    int32_t id DAE_UNUSED, uint8_t *buf, size_t len,
			    uint32_t *flags,
			    nghttp2_data_source *source DAE_UNUSED, void *arg)
{
	struct h2 *h = arg;
	size_t n = MIN(len, h->req.body_len - h->sent);

	memcpy(buf, h->req.body + h->sent, n);
	h->sent += n;
	if (h->sent == h->req.body_len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static int session_new(struct h2 *h)
{
	nghttp2_session_callbacks *cb;
	nghttp2_option *opt;
	int r;

	if (nghttp2_session_callbacks_new(&cb) != 0)
		return -ENOMEM;
	if (nghttp2_option_new(&opt) != 0) {
		nghttp2_session_callbacks_del(cb);
		return -ENOMEM;
	}
	nghttp2_option_set_max_deflate_dynamic_table_size(opt, 0);
	nghttp2_session_callbacks_set_send_callback(cb, on_send);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
							       on_stream_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	r = nghttp2_session_client_new3(&h->session, cb, h, opt, &h->mem);
	nghttp2_option_del(opt);
	nghttp2_session_callbacks_del(cb);
	return r == 0 ? 0 : -ENOMEM;
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name,
			     (uint8_t *)(uintptr_t)value, strlen(name),
			     strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static int submit(struct h2 *h)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_BODY_MAX },
		{ NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0 },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_MAX },
	};
	const nghttp2_data_provider body = { .read_callback = on_body_read };
	char length[16] = "";
	nghttp2_nv nv[] = {
		header(":method", "POST"),
		header(":scheme", "https"),
		header(":authority", h->req.authority),
		header(":path", h->req.path),
		header("content-type", h->req.content_type),
		header("accept", h->req.content_type),
		header("content-length", length),
	};
	int n = snprintf(length, sizeof(length), "%zu", h->req.body_len);

	nv[ARRAY_LEN(nv) - 1].valuelen = (size_t)n;
	if (nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
				    ARRAY_LEN(settings)) != 0)
		return -ENOMEM;
	h->id = nghttp2_submit_request(h->session, NULL, nv, ARRAY_LEN(nv),
				       &body, NULL);
	if (h->id > 0)
		return 0;
	return h->id == NGHTTP2_ERR_NOMEM
		       ? -ENOMEM
		       : fail_set(h->s->fail, OUTCOME_INTERNAL, FOREIGN_NONE,
				  0);
}

int h2_new(struct h2 **ret, struct stream *s, const struct h2_request *req,
	   struct memacct *mem)
{
	struct h2 *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->s = s;
	h->req = *req;
	h->mem = (nghttp2_mem){ mem, MEMACCT_CALLBACKS };
	r = session_new(h);
	if (r == 0)
		r = submit(h);
	if (r < 0) {
		h2_free(&h);
		return r;
	}
	*ret = h;
	return 0;
}

/* A call of nghttp2 failed: what ours did not name, the peer did wrong. */
static int judge(struct h2 *h, int err)
{
	if (err == NGHTTP2_ERR_NOMEM)
		return fail_set(h->s->fail, OUTCOME_LOCAL_RESOURCE,
				FOREIGN_NONE, 0);
	if (h->s->fail->outcome == OUTCOME_OK)
		fail_detail(h->s->fail, nghttp2_strerror(err),
			    strlen(nghttp2_strerror(err)));
	return fail_set(h->s->fail, OUTCOME_HTTP_MALFORMED, FOREIGN_NONE, 0);
}

static int send_all(struct h2 *h)
{
	int r;

	h->wants_write = false;
	r = nghttp2_session_send(h->session);
	return r == 0 ? 0 : judge(h, r);
}

int h2_step(struct h2 *h)
{
	uint8_t buf[READ_SIZE];
	ssize_t n, used;
	int i, r;

	for (i = 0; i < READS_MAX; i++) {
		r = send_all(h);
		if (r < 0)
			return r;
		if (h->is_done)
			return 0;
		/* The library has said goodbye, as it does to a peer that
		 * breaks the protocol. */
		if (!nghttp2_session_want_read(h->session))
			return fail_set(h->s->fail, OUTCOME_HTTP_MALFORMED,
					FOREIGN_NONE, 0);
		n = stream_read(h->s, buf, sizeof(buf));
		if (n < 0)
			return (int)n;
		if (n == 0)
			return fail_set(h->s->fail, OUTCOME_CLOSED,
					FOREIGN_NONE, 0);
		used = nghttp2_session_mem_recv(h->session, buf, (size_t)n);
		if (used < 0)
			return judge(h, (int)used);
	}
	return fail_set(h->s->fail, OUTCOME_HTTP_MALFORMED, FOREIGN_NONE, 0);
}

short h2_wants(const struct h2 *h)
{
	return (short)(h->wants_write ? EV_READ | EV_WRITE : EV_READ);
}

uint16_t h2_status(const struct h2 *h)
{
	return h->status;
}

const char *h2_content_type(const struct h2 *h)
{
	return h->content_type;
}

const uint8_t *h2_body(const struct h2 *h, size_t *ret_len)
{
	*ret_len = h->body_len;
	return h->body;
}

void h2_free(struct h2 **h)
{
	if (!*h)
		return;
	nghttp2_session_del((*h)->session);
	free((*h)->body);
	free(*h);
	*h = NULL;
}
