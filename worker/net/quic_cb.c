/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callbacks of ngtcp2: they translate, and decide nothing. */
#include "worker/net/quic_int.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"

/* An app's verdict in ngtcp2's words. */
static int app_result(struct quic *q, int r)
{
	if (r == 0)
		return 0;
	if (r == -ENOMEM)
		fail_set(q->cfg.fail, OUTCOME_LOCAL_RESOURCE, FOREIGN_NONE, 0);
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

static void on_rand(uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx)
{
	(void)ctx;
	quic_rand(dest, len);
}

static int on_new_cid(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token,
		      size_t len, void *arg)
{
	(void)conn;
	(void)arg;
	cid->datalen = len;
	quic_rand(cid->data, len);
	quic_rand(token, NGTCP2_STATELESS_RESET_TOKENLEN);
	return 0;
}

static int on_path_challenge(ngtcp2_conn *conn, uint8_t *data, void *arg)
{
	(void)conn;
	(void)arg;
	quic_rand(data, NGTCP2_PATH_CHALLENGE_DATALEN);
	return 0;
}

static int on_rx_key(ngtcp2_conn *conn, ngtcp2_encryption_level level,
		     void *arg)
{
	struct quic *q = arg;

	(void)conn;
	if (level != NGTCP2_ENCRYPTION_LEVEL_1RTT || !q->cfg.app->opened)
		return 0;
	return app_result(q, q->cfg.app->opened(q->cfg.arg));
}

static int on_handshake_completed(ngtcp2_conn *conn, void *arg)
{
	struct quic *q = arg;

	(void)conn;
	if (tls_session_check(&q->tls, q->cfg.fail) < 0) {
		ngtcp2_ccerr_set_tls_alert(&q->goodbye, 120, NULL, 0);
		return NGTCP2_ERR_CALLBACK_FAILURE;
	}
	q->is_verified = true;
	return 0;
}

static int on_version_negotiation(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd,
				  const uint32_t *versions, size_t n, void *arg)
{
	struct quic *q = arg;
	size_t len;

	(void)conn;
	(void)hd;
	len = (size_t)snprintf(q->versions, sizeof(q->versions), "offers");
	for (size_t i = 0; i < n && len + 12 < sizeof(q->versions); i++)
		len += (size_t)snprintf(q->versions + len,
					sizeof(q->versions) - len, " 0x%x",
					versions[i]);
	return 0;
}

static int on_stateless_reset(ngtcp2_conn *conn,
			      const ngtcp2_pkt_stateless_reset *sr, void *arg)
{
	struct quic *q = arg;

	(void)conn;
	(void)sr;
	q->saw_reset = true;
	return 0;
}

static int on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t stream,
			  uint64_t offset, const uint8_t *data, size_t len,
			  void *arg, void *stream_arg)
{
	struct quic *q = arg;

	(void)offset;
	(void)stream_arg;
	if (!q->cfg.app->data) {
		ngtcp2_conn_extend_max_offset(conn, len);
		return 0;
	}
	return app_result(
		q, q->cfg.app->data(q->cfg.arg, stream, data, len,
				    flags & NGTCP2_STREAM_DATA_FLAG_FIN));
}

static int on_acked(ngtcp2_conn *conn, int64_t stream, uint64_t offset,
		    uint64_t len, void *arg, void *stream_arg)
{
	struct quic *q = arg;

	(void)conn;
	(void)offset;
	(void)stream_arg;
	if (!q->cfg.app->acked)
		return 0;
	return app_result(q, q->cfg.app->acked(q->cfg.arg, stream, len));
}

static int on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t stream,
			   uint64_t code, void *arg, void *stream_arg)
{
	bool has_code = flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET;
	struct quic *q = arg;

	(void)conn;
	(void)stream_arg;
	if (!q->cfg.app->closed)
		return 0;
	return app_result(q, q->cfg.app->closed(q->cfg.arg, stream, has_code,
						code));
}

static int on_stream_reset(ngtcp2_conn *conn, int64_t stream, uint64_t size,
			   uint64_t code, void *arg, void *stream_arg)
{
	struct quic *q = arg;

	(void)conn;
	(void)size;
	(void)stream_arg;
	if (!q->cfg.app->reset)
		return 0;
	return app_result(q, q->cfg.app->reset(q->cfg.arg, stream, code));
}

static int on_stop_sending(ngtcp2_conn *conn, int64_t stream, uint64_t code,
			   void *arg, void *stream_arg)
{
	struct quic *q = arg;

	(void)conn;
	(void)stream_arg;
	if (!q->cfg.app->stopped)
		return 0;
	return app_result(q, q->cfg.app->stopped(q->cfg.arg, stream, code));
}

static int on_writable(ngtcp2_conn *conn, int64_t stream, uint64_t max,
		       void *arg, void *stream_arg)
{
	struct quic *q = arg;

	(void)conn;
	(void)max;
	(void)stream_arg;
	if (!q->cfg.app->writable)
		return 0;
	return app_result(q, q->cfg.app->writable(q->cfg.arg, stream));
}

const ngtcp2_callbacks quic_callbacks = {
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
	.handshake_completed = on_handshake_completed,
	.recv_version_negotiation = on_version_negotiation,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_stream_data = on_stream_data,
	.acked_stream_data_offset = on_acked,
	.stream_close = on_stream_close,
	.recv_stateless_reset = on_stateless_reset,
	.recv_retry = ngtcp2_crypto_recv_retry_cb,
	.rand = on_rand,
	.get_new_connection_id = on_new_cid,
	.update_key = ngtcp2_crypto_update_key_cb,
	.stream_reset = on_stream_reset,
	.extend_max_stream_data = on_writable,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = on_path_challenge,
	.stream_stop_sending = on_stop_sending,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.recv_rx_key = on_rx_key,
};
