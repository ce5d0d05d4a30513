/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a probe can end. A closed list: every failure a peer, a path or we
 * ourselves can cause has a name here, and outcome_is_ours() says which of
 * them never count against a node.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum outcome {
	OUTCOME_OK,
	/* names */
	OUTCOME_RESOLVE_NXDOMAIN,
	OUTCOME_RESOLVE_TIMEOUT,
	OUTCOME_RESOLVE_ERROR,
	OUTCOME_NO_ADDRESS, /* not applicable, never down */
	/* transport */
	OUTCOME_UNREACHABLE,
	OUTCOME_REFUSED,
	OUTCOME_RESET,
	OUTCOME_CONNECT_TIMEOUT,
	OUTCOME_CLOSED, /* peer closed before an answer */
	/* TLS, in TCP or QUIC */
	OUTCOME_TLS_ALERT,
	OUTCOME_TLS_TIMEOUT,
	OUTCOME_TLS_PROTOCOL,
	OUTCOME_CERT_EXPIRED,
	OUTCOME_CERT_NOT_YET_VALID,
	OUTCOME_CERT_NAME,
	OUTCOME_CERT_UNTRUSTED,
	OUTCOME_ALPN_MISMATCH,
	/* QUIC */
	OUTCOME_QUIC_TIMEOUT, /* handshake never finished */
	OUTCOME_QUIC_VERSION,
	OUTCOME_QUIC_TRANSPORT, /* peer closed with a transport error */
	OUTCOME_QUIC_APP_CLOSE,
	OUTCOME_QUIC_STATELESS_RESET,
	OUTCOME_QUIC_IDLE,
	OUTCOME_QUIC_STREAM_RESET,
	OUTCOME_QUIC_PROTOCOL, /* the peer broke QUIC or HTTP/3 */
	OUTCOME_BUSY,	       /* CONNECTION_REFUSED: overloaded, not down */
	/* answers */
	OUTCOME_RESPONSE_TIMEOUT,
	OUTCOME_HTTP_STATUS,
	OUTCOME_HTTP_MALFORMED,
	OUTCOME_BODY_MISMATCH,
	OUTCOME_PORTAL_SUSPECTED,
	OUTCOME_DNS_RCODE,
	OUTCOME_DNS_MISMATCH,
	OUTCOME_DNS_MALFORMED,
	OUTCOME_DNS_TRUNCATED,
	OUTCOME_DNS_NO_ANSWER,
	/* proxy hops */
	OUTCOME_PROXY_PROTOCOL, /* does not speak the protocol */
	OUTCOME_PROXY_AUTH_REQUIRED,
	OUTCOME_PROXY_AUTH_FAILED,
	OUTCOME_PROXY_DENIED,
	OUTCOME_PROXY_TARGET, /* proxy fine, target not reached */
	OUTCOME_PROXY_NO_UDP,
	/* ours */
	OUTCOME_LOCAL_RESOURCE,
	OUTCOME_LOCAL_ROUTE,
	OUTCOME_LOCAL_CLOCK,
	OUTCOME_WORKER_LOST,
	OUTCOME_ABORTED,
	OUTCOME_INTERNAL,
	OUTCOME_COUNT
};

/* What the foreign code of a result is. */
enum foreign {
	FOREIGN_NONE,
	FOREIGN_ERRNO,
	FOREIGN_TLS_ALERT,
	FOREIGN_X509, /* wolfSSL's verification error */
	FOREIGN_QUIC_TRANSPORT,
	FOREIGN_QUIC_APP,
	FOREIGN_HTTP_STATUS,
	FOREIGN_DNS_RCODE,
	FOREIGN_SOCKS_REP,
	FOREIGN_COUNT
};

/* Phases of a probe, each the time from its start to the end of the phase. */
enum phase {
	PHASE_RESOLVE,
	PHASE_CONNECT,
	PHASE_PROXY,
	PHASE_HANDSHAKE,
	PHASE_FIRST_BYTE,
	PHASE_TOTAL,
	PHASE_COUNT
};

const char *outcome_name(unsigned int o);
const char *foreign_name(unsigned int f);
const char *phase_name(unsigned int p);
/* A sentence fragment for people, e.g. "certificate expired". */
const char *outcome_text(unsigned int o);
/* True if this failure is ours and must not be judged against the target. */
bool outcome_is_ours(unsigned int o);
