/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/outcome.h"

#include <assert.h>

#include "common/base.h"

struct outcome_info {
	const char *name;
	const char *text;
	bool is_ours;
};

static const struct outcome_info outcomes[] = {
	[OUTCOME_OK] = { "ok", "ok", false },
	[OUTCOME_RESOLVE_NXDOMAIN] = { "resolve_nxdomain", "no such name",
				       false },
	[OUTCOME_RESOLVE_TIMEOUT] = { "resolve_timeout",
				      "name not resolved in time", false },
	[OUTCOME_RESOLVE_ERROR] = { "resolve_error", "resolver failed", false },
	[OUTCOME_NO_ADDRESS] = { "no_address", "no address of this family",
				 false },
	[OUTCOME_UNREACHABLE] = { "unreachable", "host or network unreachable",
				  false },
	[OUTCOME_REFUSED] = { "refused", "connection refused", false },
	[OUTCOME_RESET] = { "reset", "connection reset", false },
	[OUTCOME_CONNECT_TIMEOUT] = { "connect_timeout",
				      "no connection in time", false },
	[OUTCOME_CLOSED] = { "closed", "peer closed before an answer", false },
	[OUTCOME_TLS_ALERT] = { "tls_alert", "peer sent a TLS alert", false },
	[OUTCOME_TLS_TIMEOUT] = { "tls_timeout", "TLS handshake not finished",
				  false },
	[OUTCOME_TLS_PROTOCOL] = { "tls_protocol", "peer does not speak TLS",
				   false },
	[OUTCOME_CERT_EXPIRED] = { "cert_expired", "certificate expired",
				   false },
	[OUTCOME_CERT_NOT_YET_VALID] = { "cert_not_yet_valid",
					 "certificate not yet valid", false },
	[OUTCOME_CERT_NAME] = { "cert_name", "certificate is for another name",
				false },
	[OUTCOME_CERT_UNTRUSTED] = { "cert_untrusted",
				     "certificate not trusted", false },
	[OUTCOME_ALPN_MISMATCH] = { "alpn_mismatch",
				    "peer chose no common protocol (ALPN)",
				    false },
	[OUTCOME_QUIC_TIMEOUT] = { "quic_timeout",
				   "QUIC handshake not finished", false },
	[OUTCOME_QUIC_VERSION] = { "quic_version", "no common QUIC version",
				   false },
	[OUTCOME_QUIC_TRANSPORT] = { "quic_transport",
				     "peer closed with a QUIC error", false },
	[OUTCOME_QUIC_APP_CLOSE] = { "quic_app_close",
				     "peer's application closed the connection",
				     false },
	[OUTCOME_QUIC_STATELESS_RESET] = { "quic_stateless_reset",
					   "peer lost the connection's state",
					   false },
	[OUTCOME_QUIC_IDLE] = { "quic_idle", "QUIC connection went silent",
				false },
	[OUTCOME_QUIC_STREAM_RESET] = { "quic_stream_reset",
					"peer reset the stream", false },
	[OUTCOME_QUIC_PROTOCOL] = { "quic_protocol",
				    "peer broke QUIC or HTTP/3", false },
	[OUTCOME_BUSY] = { "busy", "peer is overloaded", false },
	[OUTCOME_RESPONSE_TIMEOUT] = { "response_timeout", "no answer in time",
				       false },
	[OUTCOME_HTTP_STATUS] = { "http_status", "unexpected HTTP status",
				  false },
	[OUTCOME_HTTP_MALFORMED] = { "http_malformed", "malformed HTTP answer",
				     false },
	[OUTCOME_BODY_MISMATCH] = { "body_mismatch",
				    "answer lacks the expected text", false },
	[OUTCOME_PORTAL_SUSPECTED] = { "portal_suspected",
				       "answered by somebody else (portal?)",
				       false },
	[OUTCOME_DNS_RCODE] = { "dns_rcode", "unexpected DNS rcode", false },
	[OUTCOME_DNS_MISMATCH] = { "dns_mismatch",
				   "DNS answer is not to our question", false },
	[OUTCOME_DNS_MALFORMED] = { "dns_malformed", "malformed DNS answer",
				    false },
	[OUTCOME_DNS_TRUNCATED] = { "dns_truncated", "DNS answer truncated",
				    false },
	[OUTCOME_DNS_NO_ANSWER] = { "dns_no_answer",
				    "DNS answer without the record", false },
	[OUTCOME_PROXY_PROTOCOL] = { "proxy_protocol",
				     "node does not speak its protocol",
				     false },
	[OUTCOME_PROXY_AUTH_REQUIRED] = { "proxy_auth_required",
					  "node wants a password", false },
	[OUTCOME_PROXY_AUTH_FAILED] = { "proxy_auth_failed",
					"node refuses the password", false },
	[OUTCOME_PROXY_DENIED] = { "proxy_denied", "node denies the target",
				   false },
	[OUTCOME_PROXY_TARGET] = { "proxy_target",
				   "node cannot reach the target", false },
	[OUTCOME_PROXY_NO_UDP] = { "proxy_no_udp", "node carries no UDP",
				   false },
	[OUTCOME_LOCAL_RESOURCE] = { "local_resource", "out of local resources",
				     true },
	[OUTCOME_LOCAL_ROUTE] = { "local_route", "no local route", true },
	[OUTCOME_LOCAL_CLOCK] = { "local_clock", "local clock is not set",
				  true },
	[OUTCOME_WORKER_LOST] = { "worker_lost", "worker was lost", true },
	[OUTCOME_ABORTED] = { "aborted", "aborted", true },
	[OUTCOME_INTERNAL] = { "internal", "internal error", true },
};
static_assert(ARRAY_LEN(outcomes) == OUTCOME_COUNT, "describe the outcome");

static const char *const foreign_names[] = {
	[FOREIGN_NONE] = "none",
	[FOREIGN_ERRNO] = "errno",
	[FOREIGN_TLS_ALERT] = "tls_alert",
	[FOREIGN_X509] = "x509",
	[FOREIGN_QUIC_TRANSPORT] = "quic_transport",
	[FOREIGN_QUIC_APP] = "quic_app",
	[FOREIGN_HTTP_STATUS] = "http_status",
	[FOREIGN_DNS_RCODE] = "dns_rcode",
	[FOREIGN_SOCKS_REP] = "socks_rep",
};
static_assert(ARRAY_LEN(foreign_names) == FOREIGN_COUNT, "name the code");

static const char *const phase_names[] = {
	[PHASE_RESOLVE] = "resolve",	   [PHASE_CONNECT] = "connect",
	[PHASE_PROXY] = "proxy",	   [PHASE_HANDSHAKE] = "handshake",
	[PHASE_FIRST_BYTE] = "first_byte", [PHASE_TOTAL] = "total",
};
static_assert(ARRAY_LEN(phase_names) == PHASE_COUNT, "name the phase");

const char *outcome_name(unsigned int o)
{
	return o < OUTCOME_COUNT ? outcomes[o].name : "?";
}

const char *foreign_name(unsigned int f)
{
	return f < FOREIGN_COUNT ? foreign_names[f] : "?";
}

const char *phase_name(unsigned int p)
{
	return p < PHASE_COUNT ? phase_names[p] : "?";
}

const char *outcome_text(unsigned int o)
{
	return o < OUTCOME_COUNT ? outcomes[o].text : "?";
}

bool outcome_is_ours(unsigned int o)
{
	return o < OUTCOME_COUNT && outcomes[o].is_ours;
}
