/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One probe, as the supervisor orders it of a worker. The sockets travel with
 * it (SCM_RIGHTS), already marked, bound and connected. Strings are NUL
 * terminated, contain no NUL, and are bounded by job_str_max[].
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

enum job_kind {
	JOB_NONE,
	JOB_RESOLVE, /* A or AAAA of JOB_STR_QNAME at the connected resolver */
	JOB_HTTP,    /* HTTP/1.1 request over a stream, TLS if JOB_TLS */
	JOB_DNS_UDP,
	JOB_DNS_TCP,   /* with JOB_TLS: DNS over TLS, ALPN dot */
	JOB_DNS_HTTPS, /* HTTP/2 POST, ALPN h2 */
	JOB_DNS_H3,
	JOB_DNS_QUIC,
	JOB_H3,	  /* QUIC handshake and HTTP/3 request */
	JOB_QUIC, /* QUIC handshake alone, ALPN of JOB_STR_ALPN */
	JOB_KIND_COUNT
};

/* How the target is reached; the hop's own socket is the one passed. */
enum job_via {
	JOB_VIA_DIRECT,
	JOB_VIA_SOCKS5,
	JOB_VIA_HTTP, /* CONNECT; over TLS to the proxy if JOB_VIA_TLS */
	JOB_VIA_COUNT
};

enum job_flag {
	JOB_TLS = 1 << 0,      /* TLS to the target */
	JOB_INSECURE = 1 << 1, /* do not verify the target's certificate */
	JOB_VIA_TLS = 1 << 2,  /* TLS to the proxy */
	JOB_VIA_INSECURE = 1 << 3,
	JOB_EXPECT_RCODE = 1 << 4, /* else NOERROR with an answer */
	JOB_ANY_ANSWER = 1 << 5,  /* any DNS answer to our question is health */
	JOB_CLOCK_UNSET = 1 << 6, /* "not yet valid" is our failure */
	JOB_FLAGS_ALL = (1 << 7) - 1,
};

enum job_str {
	JOB_STR_HOST, /* Host or :authority, with port if not default */
	JOB_STR_SNI,  /* name to verify; empty: verify the address */
	JOB_STR_METHOD,
	JOB_STR_PATH,
	JOB_STR_ALPN,
	JOB_STR_QNAME, /* presentation form, trailing dot optional */
	JOB_STR_USER,  /* of the proxy */
	JOB_STR_PASSWORD,
	JOB_STR_VIA_SNI,
	JOB_STR_TARGET_NAME,  /* CONNECT by name instead of target_addr */
	JOB_STR_EXPECT_BODY,  /* substring of the first 64 KiB */
	JOB_STR_EXPECT_RDATA, /* address or text one answer must have */
	JOB_STR_COUNT
};

extern const uint16_t job_str_max[JOB_STR_COUNT];

struct job_spec {
	uint32_t id;
	uint32_t deadline_ms; /* from receipt */
	uint8_t kind;	      /* enum job_kind */
	uint8_t via;	      /* enum job_via */
	uint8_t nfds;	      /* sockets with it: 1 */
	uint8_t proto;	      /* of the socket: IPPROTO_TCP or IPPROTO_UDP */
	uint16_t flags;	      /* enum job_flag */
	uint16_t qtype;	      /* DNS */
	uint16_t status_min;  /* accepted HTTP status, inclusive */
	uint16_t status_max;
	uint16_t rcode;
	struct sockaddr_storage peer;	/* what the socket is connected to */
	struct sockaddr_storage target; /* AF_UNSPEC with JOB_VIA_DIRECT */
	const char *str[JOB_STR_COUNT]; /* never NULL after decoding */
};

#define JOB_ARENA_SIZE 4096 /* bytes of strings a job may have */

/* Append @spec to @w. -EMSGSIZE if it does not fit, -EINVAL if out of bounds. */
int job_encode(struct wcur *w, const struct job_spec *spec);
/*
 * Read one job from @c. Strings are copied into @arena (JOB_ARENA_SIZE bytes,
 * the caller's), which *ret points into. -EBADMSG if anything is out of range.
 */
int job_decode(struct rcur *c, char *arena, struct job_spec *ret);
