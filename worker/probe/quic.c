/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB_QUIC: does the target finish a QUIC handshake with this ALPN? */
#include "worker/probe/kinds.h"

#include <string.h>

#include "common/base.h"
#include "worker/net/h3.h"
#include "worker/probe/quic_run.h"

#define PEER_UNI 3 /* what an HTTP/3 server opens; others open none */

static const struct quic_app no_app;

/* The client's last flight must leave before the goodbye. */
static int judge(struct probe *p, uint64_t now_ns)
{
	struct quic_run *run = p->priv;
	int r;

	if (!quic_is_verified(run->quic))
		return PROBE_GOING;
	r = quic_write(run->quic, now_ns);
	return r < 0 ? r : PROBE_DONE;
}

static const struct quic_kind kind = {
	.peer_uni = PEER_UNI,
	.app = &no_app,
	.judge = judge,
};

static const struct quic_kind kind_h3 = {
	.no_error = H3_NO_ERROR,
	.peer_uni = PEER_UNI,
	.app = &no_app,
	.judge = judge,
};

static int quic_start(struct probe *p, uint64_t now_ns)
{
	bool is_h3 = strcmp(p->spec.str[JOB_STR_ALPN], "h3") == 0;

	if (!quic_run_alloc(p, is_h3 ? &kind_h3 : &kind,
			    sizeof(struct quic_run)))
		return quic_run_no_memory(p);
	return quic_run_start(p, now_ns);
}

const struct probe_ops probe_quic_ops = {
	.name = "quic",
	.start = quic_start,
	.on_ready = quic_run_on_ready,
	.on_expiry = quic_run_on_expiry,
	.expiry_ns = quic_run_expiry_ns,
	.timeout_outcome = quic_run_timeout_outcome,
	.stop = quic_run_stop,
};
