/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/tls_ctx.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>

#include "common/base.h"
#include "common/clock.h"
#include "worker/net/memacct.h"
#include "worker/net/tls_verify.h"

#define CA_BUNDLE_MAX (8UL << 20)
/* One key share, for the first. No post-quantum one: a probe keeps no secret,
 * and the share alone would be the costliest part of it. */
#define GROUPS "X25519:P-256:P-384:P-521"

struct tls_ctx {
	WOLFSSL_CTX *of[2]; /* by enum tls_use */
};

int tls_init(void)
{
	time_t epoch = 0;
	struct tm tm;
	int r;

	r = memacct_init();
	if (r < 0)
		return r;
	tzset();
	gmtime_r(&epoch, &tm); /* loads what it needs while files open */
	return wolfSSL_Init() == WOLFSSL_SUCCESS ? 0 : -EINVAL;
}

static WOLFSSL_CTX *context_new(enum tls_use use)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(use == TLS_IN_QUIC
						   ? wolfTLSv1_3_client_method()
						   : wolfTLS_client_method());
	char groups[] = GROUPS;

	if (!ctx)
		return NULL;
	wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER, tls_verify_callback);
	wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
	if ((use == TLS_IN_QUIC &&
	     ngtcp2_crypto_wolfssl_configure_client_context(ctx) != 0) ||
	    wolfSSL_CTX_set1_curves_list(ctx, groups) != WOLFSSL_SUCCESS) {
		wolfSSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* Both contexts look into one store, so that the bundle is read only once. */
static int share_store(struct tls_ctx *t)
{
	WOLFSSL_X509_STORE *store = wolfSSL_X509_STORE_new();

	if (!store)
		return -ENOMEM;
	if (wolfSSL_X509_STORE_up_ref(store) != WOLFSSL_SUCCESS) {
		wolfSSL_X509_STORE_free(store);
		return -ENOMEM;
	}
	wolfSSL_CTX_set_cert_store(t->of[TLS_OVER_TCP], store);
	wolfSSL_CTX_set_cert_store(t->of[TLS_IN_QUIC], store);
	return 0;
}

static int load_ca(struct tls_ctx *t, const uint8_t *pem, size_t len)
{
	word32 flags = WOLFSSL_LOAD_FLAG_IGNORE_ERR;

	/* With the clock at the epoch no root would be valid yet, and every
	 * certificate untrusted instead of "not yet valid". */
	if (clock_is_unset(clock_wall_ns()))
		flags |= WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY;
	return wolfSSL_CTX_load_verify_buffer_ex(t->of[TLS_OVER_TCP], pem,
						 (long)len,
						 WOLFSSL_FILETYPE_PEM, 0,
						 flags) == WOLFSSL_SUCCESS
		       ? 0
		       : -EINVAL;
}

static int load_ca_fd(struct tls_ctx *t, int fd)
{
	/* Not fstat(): libc makes it a call with a path, which the sandbox has
	 * no reason to allow. */
	off_t len = lseek(fd, 0, SEEK_END);
	void *pem;
	int r;

	if (len < 0)
		return -errno;
	if (len == 0)
		return -EINVAL;
	if ((size_t)len > CA_BUNDLE_MAX)
		return -EFBIG;
	pem = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (pem == MAP_FAILED)
		return -errno;
	r = load_ca(t, pem, (size_t)len);
	munmap(pem, (size_t)len);
	return r;
}

/* A context allocates the rest of itself with its first session: no probe is to
 * be charged for what it will not get back. */
static int warm_up(struct tls_ctx *t)
{
	WOLFSSL *ssl;

	for (size_t i = 0; i < ARRAY_LEN(t->of); i++) {
		ssl = wolfSSL_new(t->of[i]);
		if (!ssl)
			return -ENOMEM;
		wolfSSL_free(ssl);
	}
	return 0;
}

int tls_ctx_new(struct tls_ctx **ret, int ca_fd)
{
	struct tls_ctx *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (!t)
		return -ENOMEM;
	t->of[TLS_OVER_TCP] = context_new(TLS_OVER_TCP);
	t->of[TLS_IN_QUIC] = context_new(TLS_IN_QUIC);
	if (t->of[TLS_OVER_TCP] && t->of[TLS_IN_QUIC])
		r = share_store(t);
	if (r == 0 && ca_fd >= 0)
		r = load_ca_fd(t, ca_fd);
	if (r == 0)
		r = warm_up(t);
	if (r < 0) {
		tls_ctx_free(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void tls_ctx_free(struct tls_ctx **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < ARRAY_LEN((*t)->of); i++)
		wolfSSL_CTX_free((*t)->of[i]);
	free(*t);
	*t = NULL;
}

static int set_alpn(struct tls_session *s, const struct tls_peer *peer)
{
	size_t len = peer->alpn ? strlen(peer->alpn) : 0;

	if (len == 0)
		return 0;
	/* The library takes a list with commas. */
	if (len >= sizeof(s->alpn) || strchr(peer->alpn, ','))
		return -EINVAL;
	memcpy(s->alpn, peer->alpn, len + 1);
	s->alpn_required = peer->alpn_required;
	return wolfSSL_UseALPN(s->ssl, s->alpn, (unsigned int)len,
			       WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) ==
			       WOLFSSL_SUCCESS
		       ? 0
		       : -ENOMEM;
}

static int set_name(struct tls_session *s, const char *name)
{
	size_t len = strlen(name);

	/* SNI is spelt without the dot of the root (RFC 6066). */
	if (len > 1 && name[len - 1] == '.')
		len--;
	if (len >= sizeof(s->name))
		return -EINVAL;
	memcpy(s->name, name, len);
	s->name[len] = '\0';
	if (wolfSSL_UseSNI(s->ssl, WOLFSSL_SNI_HOST_NAME, s->name,
			   (unsigned short)len) != WOLFSSL_SUCCESS)
		return -ENOMEM;
	/* It refuses what is no FQDN, as "router": that is for our callback. */
	if (!s->insecure &&
	    wolfSSL_check_domain_name(s->ssl, s->name) != WOLFSSL_SUCCESS)
		s->checks_name = true;
	return 0;
}

int tls_session_init(struct tls_session *s, struct tls_ctx *t, enum tls_use use,
		     const struct tls_peer *peer)
{
	int r;

	*s = (struct tls_session){
		.insecure = peer->insecure,
		.clock_unset = peer->clock_unset,
	};
	s->ssl = wolfSSL_new(t->of[use]);
	if (!s->ssl)
		return -ENOMEM;
	wolfSSL_SetCertCbCtx(s->ssl, s);
	if (s->insecure)
		wolfSSL_set_verify(s->ssl, WOLFSSL_VERIFY_NONE,
				   tls_verify_callback);
	r = tls_verify_wants_address(s, peer) ? 0 : set_name(s, peer->name);
	if (r == 0)
		r = set_alpn(s, peer);
	if (r < 0)
		tls_session_clear(s);
	return r;
}

void tls_session_clear(struct tls_session *s)
{
	wolfSSL_free(s->ssl);
	s->ssl = NULL;
}
