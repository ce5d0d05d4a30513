/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of certificate verification that the library leaves to us:
 * addresses, names that are no FQDN, the date of expiry. For tls_ctx.c. */
#pragma once

#include <stdbool.h>

#include "worker/net/tls_ctx.h"

struct WOLFSSL_X509_STORE_CTX;

/* For wolfSSL_CTX_set_verify(); the session is the store's user context. */
int tls_verify_callback(int is_ok, struct WOLFSSL_X509_STORE_CTX *store);
/* If @peer is to be known by its address, note it in *s; else false. */
bool tls_verify_wants_address(struct tls_session *s,
			      const struct tls_peer *peer);
