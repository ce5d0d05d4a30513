/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/h3.h"

#include <string.h>

#include <nghttp3/nghttp3.h>

#include "common/base.h"

#define NAME_VALUES_MAX 8
#define USER_AGENT "dae-supervisor"

struct h3 {
	struct h3_request req;
	struct fail *fail;
	struct memacct *mem;
	struct quic *quic;
	nghttp3_conn *conn; /* from the moment data may flow */
	nghttp3_mem nghttp3_mem;
	int64_t stream;
	size_t body_sent;
	struct h3_answer answer;
	uint8_t *body;
	size_t body_cap;
};

/* nghttp3's errors end here. */
static int h3_fail(struct h3 *h, int liberr)
{
	uint64_t code = nghttp3_err_infer_quic_app_error_code(liberr);
	const char *text = nghttp3_strerror(liberr);
	enum outcome o = OUTCOME_QUIC_PROTOCOL;

	if (liberr == NGHTTP3_ERR_NOMEM)
		return -ENOMEM;
	if (liberr == NGHTTP3_ERR_MALFORMED_HTTP_HEADER ||
	    liberr == NGHTTP3_ERR_MALFORMED_HTTP_MESSAGING)
		o = OUTCOME_HTTP_MALFORMED;
	quic_set_error(h->quic, code);
	if (h->fail->outcome == OUTCOME_OK)
		fail_detail(h->fail, text, strlen(text));
	return fail_set(h->fail, o, FOREIGN_QUIC_APP, code);
}

static int h3_result(struct h3 *h, int liberr)
{
	return liberr == 0 ? 0 : h3_fail(h, liberr);
}

/* Room for @more bytes of body, or less if it would be too long. */
static int body_reserve(struct h3 *h, size_t more)
{
	size_t want = MIN(h->answer.body_len + more, (size_t)H3_BODY_MAX);
	size_t cap = h->body_cap ? h->body_cap : 1024;
	uint8_t *moved;

	if (want <= h->body_cap)
		return 0;
	while (cap < want)
		cap *= 2;
	moved = memacct_realloc(h->mem, h->body, cap);
	if (!moved)
		return -ENOMEM;
	h->answer.body = h->body = moved;
	h->body_cap = cap;
	return 0;
}

static int on_data(nghttp3_conn *conn, int64_t stream, const uint8_t *data,
		   size_t len, void *arg, void *stream_arg)
{
	struct h3 *h = arg;
	size_t n;

	(void)conn;
	(void)stream_arg;
	quic_consumed(h->quic, stream, len);
	if (!h->req.wants_body || h->answer.is_done)
		return 0;
	if (body_reserve(h, len) < 0)
		return NGHTTP3_ERR_CALLBACK_FAILURE;
	n = MIN(len, (size_t)H3_BODY_MAX - h->answer.body_len);
	memcpy(h->body + h->answer.body_len, data, n);
	h->answer.body_len += n;
	h->answer.is_overlong |= n < len;
	return 0;
}

static int on_consumed(nghttp3_conn *conn, int64_t stream, size_t len,
		       void *arg, void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream_arg;
	quic_consumed(h->quic, stream, len);
	return 0;
}

static int on_begin_headers(nghttp3_conn *conn, int64_t stream, void *arg,
			    void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream;
	(void)stream_arg;
	h->answer.status = 0; /* a former one was interim */
	h->answer.content_type[0] = '\0';
	return 0;
}

static int on_header(nghttp3_conn *conn, int64_t stream, int32_t token,
		     nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags,
		     void *arg, void *stream_arg)
{
	nghttp3_vec v = nghttp3_rcbuf_get_buf(value);
	struct h3 *h = arg;
	size_t n;

	(void)conn;
	(void)stream;
	(void)name;
	(void)flags;
	(void)stream_arg;
	if (token == NGHTTP3_QPACK_TOKEN__STATUS) {
		/* nghttp3 lets nothing but three digits pass. */
		h->answer.status = 0;
		for (n = 0; n < v.len && n < 3; n++)
			h->answer.status = (uint16_t)(h->answer.status * 10 +
						      (v.base[n] - '0'));
	} else if (token == NGHTTP3_QPACK_TOKEN_CONTENT_TYPE) {
		n = MIN(v.len, sizeof(h->answer.content_type) - 1);
		memcpy(h->answer.content_type, v.base, n);
		h->answer.content_type[n] = '\0';
	}
	return 0;
}

static int on_end_headers(nghttp3_conn *conn, int64_t stream, int is_fin,
			  void *arg, void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream;
	(void)stream_arg;
	if (h->answer.status >= 200 && (is_fin || !h->req.wants_body))
		h->answer.is_done = true;
	return 0;
}

static int on_end_stream(nghttp3_conn *conn, int64_t stream, void *arg,
			 void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream;
	(void)stream_arg;
	if (h->answer.status >= 200)
		h->answer.is_done = true;
	return 0;
}

static int on_stop_sending(nghttp3_conn *conn, int64_t stream, uint64_t code,
			   void *arg, void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream_arg;
	return quic_stop_reading(h->quic, stream, code) < 0
		       ? NGHTTP3_ERR_CALLBACK_FAILURE
		       : 0;
}

static int on_reset_stream(nghttp3_conn *conn, int64_t stream, uint64_t code,
			   void *arg, void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream_arg;
	return quic_stop_writing(h->quic, stream, code) < 0
		       ? NGHTTP3_ERR_CALLBACK_FAILURE
		       : 0;
}

static const nghttp3_callbacks nghttp3_calls = {
	.recv_data = on_data,
	.deferred_consume = on_consumed,
	.begin_headers = on_begin_headers,
	.recv_header = on_header,
	.end_headers = on_end_headers,
	.stop_sending = on_stop_sending,
	.end_stream = on_end_stream,
	.reset_stream = on_reset_stream,
};

static nghttp3_ssize on_read_body(nghttp3_conn *conn, int64_t stream,
				  nghttp3_vec *vec, size_t count,
				  uint32_t *flags, void *arg, void *stream_arg)
{
	struct h3 *h = arg;

	(void)conn;
	(void)stream;
	(void)count;
	(void)stream_arg;
	*flags |= NGHTTP3_DATA_FLAG_EOF;
	vec->base = (uint8_t *)(uintptr_t)h->req.body + h->body_sent;
	vec->len = h->req.body_len - h->body_sent;
	h->body_sent = h->req.body_len;
	return vec->len > 0;
}

static void add(nghttp3_nv *nv, size_t *n, const char *name, const char *value)
{
	nv[(*n)++] = (nghttp3_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.namelen = strlen(name),
		.value = (uint8_t *)(uintptr_t)value,
		.valuelen = strlen(value),
		.flags = NGHTTP3_NV_FLAG_NO_COPY_NAME |
			 NGHTTP3_NV_FLAG_NO_COPY_VALUE,
	};
}

static int submit(struct h3 *h)
{
	const nghttp3_data_reader reader = { .read_data = on_read_body };
	nghttp3_nv nv[NAME_VALUES_MAX];
	size_t n = 0;

	add(nv, &n, ":method", h->req.method);
	add(nv, &n, ":scheme", "https");
	add(nv, &n, ":authority", h->req.authority);
	add(nv, &n, ":path", h->req.path);
	add(nv, &n, "user-agent", USER_AGENT);
	if (h->req.content_type) {
		add(nv, &n, "content-type", h->req.content_type);
		add(nv, &n, "accept", h->req.content_type);
	}
	return nghttp3_conn_submit_request(h->conn, h->stream, nv, n,
					   h->req.body ? &reader : NULL, NULL);
}

/* The three streams that HTTP/3 wants of us before any request. */
static int bind_streams(struct h3 *h)
{
	int64_t control, encoder, decoder;
	int r;

	if (quic_open_uni(h->quic, &control) < 0 ||
	    quic_open_uni(h->quic, &encoder) < 0 ||
	    quic_open_uni(h->quic, &decoder) < 0 ||
	    quic_open_bidi(h->quic, &h->stream) < 0) {
		fail_detail(h->fail, "peer allows too few streams", 27);
		return fail_set(h->fail, OUTCOME_QUIC_PROTOCOL, FOREIGN_NONE,
				0);
	}
	r = nghttp3_conn_bind_control_stream(h->conn, control);
	if (r == 0)
		r = nghttp3_conn_bind_qpack_streams(h->conn, encoder, decoder);
	return h3_result(h, r);
}

static int h3_opened(void *arg)
{
	nghttp3_settings settings;
	struct h3 *h = arg;
	int r;

	if (h->conn)
		return 0;
	nghttp3_settings_default(&settings);
	settings.qpack_max_dtable_capacity = 0;
	settings.qpack_encoder_max_dtable_capacity = 0;
	settings.qpack_blocked_streams = 0;
	settings.max_field_section_size = 16384;
	r = nghttp3_conn_client_new(&h->conn, &nghttp3_calls, &settings,
				    &h->nghttp3_mem, h);
	if (r != 0)
		return h3_fail(h, r);
	r = bind_streams(h);
	return r < 0 ? r : h3_result(h, submit(h));
}

/* Servers that answer HEAD with a body are wrong but common: once the status
 * is there, nothing that follows is looked at. */
static int h3_data(void *arg, int64_t stream, const uint8_t *buf, size_t len,
		   bool is_fin)
{
	struct h3 *h = arg;
	nghttp3_ssize n;

	if (!h->conn || h->answer.is_done) {
		quic_consumed(h->quic, stream, len);
		return 0;
	}
	n = nghttp3_conn_read_stream(h->conn, stream, buf, len, is_fin);
	if (n >= 0) {
		quic_consumed(h->quic, stream, (size_t)n);
		return 0;
	}
	return h->answer.is_done ? 0 : h3_fail(h, (int)n);
}

static int h3_acked(void *arg, int64_t stream, uint64_t len)
{
	struct h3 *h = arg;

	return h->conn ? h3_result(h, nghttp3_conn_add_ack_offset(h->conn,
								  stream, len))
		       : 0;
}

/* An abort of our request, whoever began it, before there was an answer. */
static int request_lost(struct h3 *h, bool has_code, uint64_t code)
{
	if (has_code)
		return fail_set(h->fail, OUTCOME_QUIC_STREAM_RESET,
				FOREIGN_QUIC_APP, code);
	return fail_set(h->fail, OUTCOME_CLOSED, FOREIGN_NONE, 0);
}

static int h3_closed(void *arg, int64_t stream, bool has_code, uint64_t code)
{
	struct h3 *h = arg;
	int r;

	if (!h->conn)
		return 0;
	if (stream == h->stream && !h->answer.is_done)
		return request_lost(h, has_code, code);
	r = nghttp3_conn_close_stream(h->conn, stream,
				      has_code ? code : NGHTTP3_H3_NO_ERROR);
	return r == NGHTTP3_ERR_STREAM_NOT_FOUND ? 0 : h3_result(h, r);
}

static int h3_reset(void *arg, int64_t stream, uint64_t code)
{
	struct h3 *h = arg;

	if (!h->conn)
		return 0;
	if (stream == h->stream && !h->answer.is_done)
		return request_lost(h, true, code);
	return h3_result(h, nghttp3_conn_shutdown_stream_read(h->conn, stream));
}

static int h3_writable(void *arg, int64_t stream)
{
	struct h3 *h = arg;

	return h->conn ? h3_result(h,
				   nghttp3_conn_unblock_stream(h->conn, stream))
		       : 0;
}

static int h3_blocked(void *arg, int64_t stream)
{
	struct h3 *h = arg;

	nghttp3_conn_block_stream(h->conn, stream);
	return 0;
}

static int h3_shut(void *arg, int64_t stream)
{
	struct h3 *h = arg;

	nghttp3_conn_shutdown_stream_write(h->conn, stream);
	return 0;
}

static int h3_pull(void *arg, struct quic_out *out)
{
	struct h3 *h = arg;
	nghttp3_ssize n;
	int is_fin = 0;

	if (!h->conn)
		return 0;
	n = nghttp3_conn_writev_stream(h->conn, &out->stream, &is_fin,
				       (nghttp3_vec *)(void *)out->vec,
				       QUIC_PULL_MAX);
	if (n < 0)
		return h3_fail(h, (int)n);
	out->is_fin = is_fin;
	out->count = (size_t)n;
	return 0;
}

static int h3_pulled(void *arg, int64_t stream, size_t len)
{
	struct h3 *h = arg;

	return h3_result(h,
			 nghttp3_conn_add_write_offset(h->conn, stream, len));
}

const struct quic_app h3_quic_app = {
	.opened = h3_opened,
	.data = h3_data,
	.acked = h3_acked,
	.closed = h3_closed,
	.reset = h3_reset,
	.writable = h3_writable,
	.pull = h3_pull,
	.pulled = h3_pulled,
	.blocked = h3_blocked,
	.shut = h3_shut,
};

int h3_new(struct h3 **ret, const struct h3_request *req, struct fail *fail,
	   struct memacct *mem)
{
	struct h3 *h = memacct_calloc(mem, 1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->req = *req;
	h->fail = fail;
	h->mem = mem;
	h->stream = -1;
	h->nghttp3_mem = (nghttp3_mem){ mem, MEMACCT_CALLBACKS };
	*ret = h;
	return 0;
}

void h3_attach(struct h3 *h, struct quic *q)
{
	h->quic = q;
}

const struct h3_answer *h3_answer(const struct h3 *h)
{
	return &h->answer;
}

void h3_free(struct h3 **h)
{
	if (!*h)
		return;
	nghttp3_conn_del((*h)->conn);
	memacct_free((*h)->body);
	memacct_free(*h);
	*h = NULL;
}
