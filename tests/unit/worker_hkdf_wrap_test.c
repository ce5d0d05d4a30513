/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/hkdf_wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/quic.h>

/* The library's own, by the linker's other name for it. */
int __real_wolfSSL_quic_hkdf(uint8_t *dest, size_t dest_len, const char *md,
			     const uint8_t *secret, size_t secret_len,
			     const uint8_t *salt, size_t salt_len,
			     const uint8_t *info, size_t info_len);

/* RFC 9001, appendix A.1: the secrets of a client's Initial packets. */
static void the_initial_secret_of_the_standard(void **state)
{
	static const uint8_t salt[] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5,
					0x59, 0x34, 0xb3, 0x4d, 0x17,
					0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
					0xad, 0xcc, 0xbb, 0x7f, 0x0a };
	static const uint8_t dcid[] = { 0x83, 0x94, 0xc8, 0xf0,
					0x3e, 0x51, 0x57, 0x08 };
	static const uint8_t info[] = "\x00\x20\x0ftls13 client in";
	static const uint8_t initial[] = { 0x7d, 0xb5, 0xdf, 0x06, 0xe7, 0xa6,
					   0x9e, 0x43, 0x24, 0x96, 0xad, 0xed,
					   0xb0, 0x08, 0x51, 0x92, 0x35, 0x95,
					   0x22, 0x15, 0x96, 0xae, 0x2a, 0xe9,
					   0xfb, 0x81, 0x15, 0xc1, 0xe9, 0xed,
					   0x0a, 0x44 };
	static const uint8_t client[] = { 0xc0, 0x0c, 0xf1, 0x51, 0xca, 0x5b,
					  0xe0, 0x75, 0xed, 0x0e, 0xbf, 0xb5,
					  0xc8, 0x03, 0x23, 0xc4, 0x2d, 0x6b,
					  0x7d, 0xb6, 0x78, 0x81, 0x28, 0x9a,
					  0xf4, 0x00, 0x8f, 0x1f, 0x6c, 0x35,
					  0x7a, 0xea };
	uint8_t extracted[32], expanded[32];

	(void)state;
	assert_int_equal(
		wolfSSL_quic_hkdf_extract(extracted, wolfSSL_EVP_sha256(), dcid,
					  sizeof(dcid), salt, sizeof(salt)),
		WOLFSSL_SUCCESS);
	assert_memory_equal(extracted, initial, 32);
	/* The literal's own NUL is the empty context's length. */
	assert_int_equal(
		wolfSSL_quic_hkdf_expand(expanded, 32, wolfSSL_EVP_sha256(),
					 extracted, 32, info, sizeof(info)),
		WOLFSSL_SUCCESS);
	assert_memory_equal(expanded, client, 32);
}

static void both_digests_agree_with_the_library(void **state)
{
	const WOLFSSL_EVP_MD *md[] = { wolfSSL_EVP_sha256(),
				       wolfSSL_EVP_sha384() };
	uint8_t ours[80], theirs[80], in[48];

	(void)state;
	memset(in, 7, sizeof(in));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(wolfSSL_quic_hkdf(ours, sizeof(ours), md[i],
						   in, sizeof(in), in, 20, in,
						   11),
				 WOLFSSL_SUCCESS);
		assert_int_equal(__real_wolfSSL_quic_hkdf(
					 theirs, sizeof(theirs), md[i], in,
					 sizeof(in), in, 20, in, 11),
				 WOLFSSL_SUCCESS);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

static void what_is_not_ours_fails(void **state)
{
	uint8_t out[32], in[32] = { 0 };

	(void)state;
	assert_int_equal(wolfSSL_quic_hkdf_extract(out, wolfSSL_EVP_sha1(), in,
						   32, in, 32),
			 WOLFSSL_FAILURE);
	assert_int_equal(wolfSSL_quic_hkdf_extract(out, wolfSSL_EVP_sha256(),
						   in, SIZE_MAX, in, 32),
			 WOLFSSL_FAILURE);
	/* More than 255 blocks cannot be expanded (RFC 5869). */
	assert_int_equal(wolfSSL_quic_hkdf_expand(out, 255 * 32 + 1,
						  wolfSSL_EVP_sha256(), in, 32,
						  in, 0),
			 WOLFSSL_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initial_secret_of_the_standard),
		cmocka_unit_test(both_digests_agree_with_the_library),
		cmocka_unit_test(what_is_not_ours_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
