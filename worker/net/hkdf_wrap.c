/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/hkdf_wrap.h"

#include <limits.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/hmac.h>

/* wolfCrypt's number of the digest, or -1. */
static int digest_of(const char *md)
{
	switch (wolfSSL_EVP_MD_type(md)) {
	case NID_sha256:
		return WC_SHA256;
	case NID_sha384:
		return WC_SHA384;
	default:
		return -1;
	}
}

static int fits(size_t a, size_t b, size_t c)
{
	return a <= INT_MAX && b <= INT_MAX && c <= INT_MAX;
}

static int answer(int r)
{
	return r == 0 ? WOLFSSL_SUCCESS : WOLFSSL_FAILURE;
}

int __wrap_wolfSSL_quic_hkdf_extract(uint8_t *dest, const char *md,
				     const uint8_t *secret, size_t secret_len,
				     const uint8_t *salt, size_t salt_len)
{
	int digest = digest_of(md);

	if (digest < 0 || !fits(secret_len, salt_len, 0))
		return WOLFSSL_FAILURE;
	return answer(wc_HKDF_Extract(digest, salt, (word32)salt_len, secret,
				      (word32)secret_len, dest));
}

int __wrap_wolfSSL_quic_hkdf_expand(uint8_t *dest, size_t dest_len,
				    const char *md, const uint8_t *secret,
				    size_t secret_len, const uint8_t *info,
				    size_t info_len)
{
	int digest = digest_of(md);

	if (digest < 0 || !fits(dest_len, secret_len, info_len))
		return WOLFSSL_FAILURE;
	return answer(wc_HKDF_Expand(digest, secret, (word32)secret_len, info,
				     (word32)info_len, dest, (word32)dest_len));
}

int __wrap_wolfSSL_quic_hkdf(uint8_t *dest, size_t dest_len, const char *md,
			     const uint8_t *secret, size_t secret_len,
			     const uint8_t *salt, size_t salt_len,
			     const uint8_t *info, size_t info_len)
{
	int digest = digest_of(md);

	if (digest < 0 || !fits(dest_len, secret_len, info_len) ||
	    !fits(salt_len, 0, 0))
		return WOLFSSL_FAILURE;
	return answer(wc_HKDF(digest, secret, (word32)secret_len, salt,
			      (word32)salt_len, info, (word32)info_len, dest,
			      (word32)dest_len));
}
