/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ngtcp2's error numbers and the codes of the wire end here. */
#include "worker/net/quic_int.h"

#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#define TRANSPORT_CONNECTION_REFUSED 0x2
#define TRANSPORT_CRYPTO 0x100 /* plus the TLS alert: .. 0x1ff */

static int fail_text(struct quic *q, enum outcome o, enum foreign kind,
		     uint64_t code, const char *text)
{
	fail_set(q->cfg.fail, o, kind, code);
	fail_detail(q->cfg.fail, text, strlen(text));
	return -EPROTO;
}

/* The peer said goodbye: with what words? */
static int fail_closed(struct quic *q)
{
	const ngtcp2_ccerr *e = ngtcp2_conn_get_ccerr(q->conn);
	struct fail *f = q->cfg.fail;
	uint64_t code = e->error_code;

	if (e->reason && e->reasonlen > 0)
		fail_detail(f, e->reason, e->reasonlen);
	if (e->type == NGTCP2_CCERR_TYPE_APPLICATION)
		return fail_set(f, OUTCOME_QUIC_APP_CLOSE, FOREIGN_QUIC_APP,
				code);
	if (code == 0)
		return fail_set(f, OUTCOME_CLOSED, FOREIGN_QUIC_TRANSPORT, 0);
	if (code == TRANSPORT_CONNECTION_REFUSED)
		return fail_set(f, OUTCOME_BUSY, FOREIGN_QUIC_TRANSPORT, code);
	if ((code & ~0xffULL) == TRANSPORT_CRYPTO)
		return tls_fail_alert((int)(code & 0xff), f);
	return fail_set(f, OUTCOME_QUIC_TRANSPORT, FOREIGN_QUIC_TRANSPORT,
			code);
}

/* Our own TLS found something wrong, and the alert says so to the peer. */
static int fail_tls(struct quic *q)
{
	int alert = ngtcp2_conn_get_tls_alert(q->conn);

	ngtcp2_ccerr_set_tls_alert(&q->goodbye, (uint8_t)alert, NULL, 0);
	return tls_session_fail(&q->tls, wolfSSL_get_error(q->tls.ssl, 0),
				alert > 0 ? alert : -1, q->cfg.fail);
}

static int fail_library(struct quic *q, int liberr)
{
	switch (liberr) {
	case NGTCP2_ERR_CRYPTO:
		return fail_tls(q);
	case NGTCP2_ERR_CLOSING:
	case NGTCP2_ERR_DRAINING:
		q->is_silent = true;
		if (q->saw_reset)
			return fail_set(q->cfg.fail,
					OUTCOME_QUIC_STATELESS_RESET,
					FOREIGN_NONE, 0);
		return fail_closed(q);
	case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
	case NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE:
		q->is_silent = true;
		return fail_text(q, OUTCOME_QUIC_VERSION, FOREIGN_NONE, 0,
				 q->versions);
	case NGTCP2_ERR_IDLE_CLOSE:
		q->is_silent = true;
		return fail_set(q->cfg.fail, OUTCOME_QUIC_IDLE, FOREIGN_NONE,
				0);
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		return fail_set(q->cfg.fail, OUTCOME_QUIC_TIMEOUT, FOREIGN_NONE,
				0);
	case NGTCP2_ERR_NOMEM:
		return fail_set(q->cfg.fail, OUTCOME_LOCAL_RESOURCE,
				FOREIGN_NONE, 0);
	case NGTCP2_ERR_INVALID_ARGUMENT:
	case NGTCP2_ERR_INVALID_STATE:
	case NGTCP2_ERR_CALLBACK_FAILURE:
	case NGTCP2_ERR_INTERNAL:
		return fail_text(q, OUTCOME_INTERNAL, FOREIGN_NONE, 0,
				 ngtcp2_strerror(liberr));
	default:
		return fail_text(
			q, OUTCOME_QUIC_PROTOCOL, FOREIGN_QUIC_TRANSPORT,
			ngtcp2_err_infer_quic_transport_error_code(liberr),
			ngtcp2_strerror(liberr));
	}
}

int quic_fail(struct quic *q, int liberr)
{
	if (q->goodbye.type == NGTCP2_CCERR_TYPE_TRANSPORT &&
	    q->goodbye.error_code == NGTCP2_NO_ERROR)
		ngtcp2_ccerr_set_liberr(&q->goodbye, liberr, NULL, 0);
	/* What runs on top, or the check of the handshake, knew better. */
	if (q->cfg.fail->outcome != OUTCOME_OK)
		return -EPROTO;
	return fail_library(q, liberr);
}

int quic_fail_errno(struct quic *q, int err)
{
	q->is_silent = true;
	fail_errno(q->cfg.fail, err, !q->has_heard);
	return -EPROTO;
}
