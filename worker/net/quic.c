/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/quic.h"

#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/quic.h>

#include "common/base.h"
#include "worker/net/quic_int.h"

#define DCID_LEN 8	      /* the least that RFC 9000 allows for the first */
#define EXTENSION_PARAMS 0x39 /* quic_transport_parameters, RFC 9001 */
#define WINDOW_STREAM (16 * 1024)
#define WINDOW_UNI (4 * 1024)
#define WINDOW_CONN (24 * 1024)

static ngtcp2_conn *conn_of_ref(ngtcp2_crypto_conn_ref *ref)
{
	struct quic *q = ref->user_data;

	return q->conn;
}

static int tls_start(struct quic *q)
{
	struct tls_peer peer = q->cfg.peer;
	int r;

	peer.alpn_required = peer.alpn && *peer.alpn;
	r = tls_session_init(&q->tls, q->cfg.tls, TLS_IN_QUIC, &peer);
	if (r < 0)
		return r;
	q->ref.get_conn = conn_of_ref;
	q->ref.user_data = q;
	wolfSSL_set_app_data(q->tls.ssl, &q->ref);
	wolfSSL_set_connect_state(q->tls.ssl);
	wolfSSL_set_quic_transport_version(q->tls.ssl, EXTENSION_PARAMS);
	return 0;
}

static void fill_settings(const struct quic *q, ngtcp2_settings *s)
{
	ngtcp2_settings_default(s);
	s->initial_ts = q->last_ns;
	s->max_tx_udp_payload_size = QUIC_TX_MAX;
	s->max_window = WINDOW_CONN;
	s->max_stream_window = WINDOW_STREAM;
	s->no_pmtud = 1; /* we send too little to need more than 1200 */
}

static void fill_params(const struct quic *q, ngtcp2_transport_params *p)
{
	ngtcp2_transport_params_default(p);
	p->initial_max_streams_bidi = 0;
	p->initial_max_streams_uni = q->cfg.peer_uni;
	p->initial_max_stream_data_bidi_local = WINDOW_STREAM;
	p->initial_max_stream_data_uni = WINDOW_UNI;
	p->initial_max_data = WINDOW_CONN;
	p->max_idle_timeout = q->cfg.idle_ns;
	p->max_udp_payload_size = QUIC_RX_MAX;
	p->active_connection_id_limit = 2;
	p->disable_active_migration = 1;
}

/* Our own connection id is empty: the socket is ours alone, so nothing has to
 * be told apart, and the peer needs no further ones. */
static int conn_start(struct quic *q)
{
	const struct dgram *d = q->cfg.dgram;
	ngtcp2_path path = {
		.local = { (void *)(uintptr_t)&d->local, d->local_len },
		.remote = { (void *)(uintptr_t)&d->peer, d->peer_len },
	};
	ngtcp2_cid dcid = { .datalen = DCID_LEN }, scid = { .datalen = 0 };
	ngtcp2_transport_params params;
	ngtcp2_settings settings;
	int r;

	fill_settings(q, &settings);
	fill_params(q, &params);
	quic_rand(dcid.data, DCID_LEN);
	r = ngtcp2_conn_client_new(&q->conn, &dcid, &scid, &path,
				   NGTCP2_PROTO_VER_V1, &quic_callbacks,
				   &settings, &params, &q->mem, q);
	if (r != 0) {
		q->conn = NULL; /* it leaves what it has freed again */
		return r == NGTCP2_ERR_NOMEM ? -ENOMEM : -EINVAL;
	}
	ngtcp2_conn_set_tls_native_handle(q->conn, q->tls.ssl);
	return 0;
}

static int fail_start(struct quic *q, int r)
{
	if (r == -ENOMEM)
		return fail_set(q->cfg.fail, OUTCOME_LOCAL_RESOURCE,
				FOREIGN_NONE, 0);
	return fail_set(q->cfg.fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
			(uint64_t)-r);
}

int quic_new(struct quic **ret, const struct quic_config *config,
	     uint64_t now_ns)
{
	struct memacct *former = memacct_enter(config->mem);
	struct quic *q = memacct_calloc(config->mem, 1, sizeof(*q));
	int r;

	if (!q) {
		memacct_enter(former);
		return fail_set(config->fail, OUTCOME_LOCAL_RESOURCE,
				FOREIGN_NONE, 0);
	}
	q->cfg = *config;
	q->last_ns = now_ns;
	q->mem = (ngtcp2_mem){ config->mem, MEMACCT_CALLBACKS };
	ngtcp2_ccerr_default(&q->goodbye);
	r = tls_start(q);
	if (r == 0)
		r = conn_start(q);
	if (r < 0) {
		r = fail_start(q, r);
		quic_free(&q);
	}
	memacct_enter(former);
	*ret = q;
	return r;
}

void quic_free(struct quic **q)
{
	struct memacct *former;

	if (!*q)
		return;
	former = memacct_enter((*q)->cfg.mem);
	ngtcp2_conn_del((*q)->conn);
	tls_session_clear(&(*q)->tls);
	memacct_free((*q)->unsent);
	memacct_free(*q);
	*q = NULL;
	memacct_enter(former);
}

bool quic_wants_write(const struct quic *q)
{
	return q->unsent != NULL;
}

bool quic_is_verified(const struct quic *q)
{
	return q->is_verified;
}

bool quic_has_heard(const struct quic *q)
{
	return q->has_heard;
}

int64_t quic_cert_not_after(const struct quic *q)
{
	return q->tls.cert_not_after;
}

static int stream_result(int r)
{
	if (r == NGTCP2_ERR_NOMEM)
		return -ENOMEM;
	return r == NGTCP2_ERR_STREAM_ID_BLOCKED ? -EBUSY
	       : r == 0				 ? 0
						 : -EINVAL;
}

int quic_open_bidi(struct quic *q, int64_t *ret)
{
	return stream_result(ngtcp2_conn_open_bidi_stream(q->conn, ret, NULL));
}

int quic_open_uni(struct quic *q, int64_t *ret)
{
	return stream_result(ngtcp2_conn_open_uni_stream(q->conn, ret, NULL));
}

void quic_consumed(struct quic *q, int64_t stream, size_t len)
{
	ngtcp2_conn_extend_max_stream_offset(q->conn, stream, len);
	ngtcp2_conn_extend_max_offset(q->conn, len);
}

int quic_stop_reading(struct quic *q, int64_t stream, uint64_t code)
{
	return stream_result(
		ngtcp2_conn_shutdown_stream_read(q->conn, 0, stream, code));
}

int quic_stop_writing(struct quic *q, int64_t stream, uint64_t code)
{
	return stream_result(
		ngtcp2_conn_shutdown_stream_write(q->conn, 0, stream, code));
}

void quic_set_error(struct quic *q, uint64_t code)
{
	ngtcp2_ccerr_set_application_error(&q->goodbye, code, NULL, 0);
}
