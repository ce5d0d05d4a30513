/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wolfSSL's QUIC key derivation makes an EVP key context for each of its some
 * thirty calls a connection, and each of those seeds a random generator that it
 * never uses: a quarter of a probe's CPU time. The linker leads the three calls
 * here instead (--wrap), where wolfCrypt's HKDF answers them with the same
 * bytes. Semantics of <wolfssl/quic.h>, whose WOLFSSL_EVP_MD is the name of the
 * digest; SHA-256 and SHA-384 alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The linker's names for them, hence the underscores. WOLFSSL_SUCCESS or
 * WOLFSSL_FAILURE. */
int __wrap_wolfSSL_quic_hkdf_extract(uint8_t *dest, const char *md,
				     const uint8_t *secret, size_t secret_len,
				     const uint8_t *salt, size_t salt_len);
int __wrap_wolfSSL_quic_hkdf_expand(uint8_t *dest, size_t dest_len,
				    const char *md, const uint8_t *secret,
				    size_t secret_len, const uint8_t *info,
				    size_t info_len);
int __wrap_wolfSSL_quic_hkdf(uint8_t *dest, size_t dest_len, const char *md,
			     const uint8_t *secret, size_t secret_len,
			     const uint8_t *salt, size_t salt_len,
			     const uint8_t *info, size_t info_len);
