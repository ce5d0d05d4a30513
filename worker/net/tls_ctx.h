/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all TLS sessions of a worker share, over TCP and in QUIC: the CA store
 * and wolfSSL's contexts, how a session is told whom to believe, and how a
 * failed one is put into our words. No file is opened after tls_init(), no
 * session is ever resumed, no ticket kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "worker/net/fail.h"

struct WOLFSSL;
struct tls_ctx;

/* Whom a session must prove to be talking to; strings are borrowed for
 * tls_session_init() alone. */
struct tls_peer {
	const char *name; /* SNI, and the certificate's name. Empty, or an
				 * address: no SNI, the address is verified */
	const struct sockaddr_storage *addr; /* verified if name is empty */
	const char *alpn;   /* one protocol; NULL or empty: none offered */
	bool alpn_required; /* the server must choose it, not just ignore it */
	bool insecure;	    /* verify neither chain, name nor dates */
	bool clock_unset;   /* "not yet valid" is OUTCOME_LOCAL_CLOCK */
};

/* One session, at a stable address, owned by who talks TLS. */
struct tls_session {
	struct WOLFSSL *ssl;
	int verify_error;	/* wolfSSL's; 0: none */
	int64_t cert_not_after; /* of the leaf, unix seconds; 0: none seen */
	uint8_t addr[16];	/* that must be among the certificate's */
	uint8_t addr_len;	/* 4, 16, or 0: not asked for */
	bool insecure, clock_unset, alpn_required;
	bool checks_name; /* we, not the library */
	char alpn[36];
	char name[256];
};

enum tls_use { TLS_OVER_TCP, TLS_IN_QUIC };

/* Once per process, before the sandbox is closed: allocator hooks, wolfSSL,
 * the time zone that libc would load at the first certificate. */
int tls_init(void);
/*
 * The contexts, with the CA certificates of @ca_fd (PEM; borrowed, read from
 * its beginning; -1: none, so every verification fails). Certificates that
 * cannot be read are passed over. 0, -EINVAL if there is none at all, or
 * -errno.
 */
int tls_ctx_new(struct tls_ctx **ret, int ca_fd);
void tls_ctx_free(struct tls_ctx **t);

/* Fills *s: a client, with all that @peer asks for; the transport is set by the
 * caller. 0, -EINVAL (a name or ALPN that cannot be), or -ENOMEM. */
int tls_session_init(struct tls_session *s, struct tls_ctx *t, enum tls_use use,
		     const struct tls_peer *peer);
/* After the handshake: was the ALPN chosen? 0, or failed (@f is set). */
int tls_session_check(const struct tls_session *s, struct fail *f);
/*
 * A handshake or a read failed on our side: name it by the verification's error
 * or by @err (wolfSSL_get_error()). @alert: the TLS alert that the peer sent,
 * or we did if @err is ours; -1: none. Always returns -EPROTO.
 */
int tls_session_fail(const struct tls_session *s, int err, int alert,
		     struct fail *f);
/* The same for an alert of the peer alone. */
int tls_fail_alert(int alert, struct fail *f);
/* In any state, and twice. */
void tls_session_clear(struct tls_session *s);

/* ASN.1 UTCTime or GeneralizedTime, tag and length first, to unix seconds.
 * 0 if it is not one. */
int64_t tls_parse_time(const uint8_t *der, size_t len);
