/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/tls_ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#define USE_CERT_BUFFERS_256
#include <wolfssl/options.h>
#include <wolfssl/certs_test.h>
#include <wolfssl/ssl.h>

#include "common/base.h"
#include "common/fd.h"

static const struct {
	const char *der;
	size_t len;
	int64_t want;
} times[] = {
	{ "\x17\x0d"
	  "700101000000Z",
	  15, 0 },
	{ "\x17\x0d"
	  "700101000001Z",
	  15, 1 },
	{ "\x17\x0d"
	  "000229120000Z",
	  15, 951825600 },
	{ "\x17\x0d"
	  "491231235959Z",
	  15, 2524607999 },
	{ "\x17\x0d"
	  "500101000000Z",
	  15, -631152000 },
	{ "\x18\x0f"
	  "20500101000000Z",
	  17, 2524608000 },
	{ "\x18\x0f"
	  "20991231235959Z",
	  17, 4102444799 },
	{ "\x18\x0f"
	  "99991231235959Z",
	  17, 253402300799 },
	{ "\x18\x0f"
	  "00000101000000Z",
	  17, -62167219200 },
	/* no times */
	{ "", 0, 0 },
	{ "\x17", 1, 0 },
	{ "\x17\x0d", 2, 0 },
	{ "\x17\x0d"
	  "700101000001",
	  14, 0 },
	{ "\x17\x0d"
	  "7001010000010",
	  15, 0 },
	{ "\x17\x0d"
	  "701301000001Z",
	  15, 0 },
	{ "\x17\x0d"
	  "700100000001Z",
	  15, 0 },
	{ "\x17\x0d"
	  "70010100 001Z",
	  15, 0 },
	{ "\x17\x0f"
	  "20500101000000Z",
	  17, 0 },
	{ "\x18\x0d"
	  "700101000001Z",
	  15, 0 },
	{ "\x04\x0d"
	  "700101000001Z",
	  15, 0 },
};

static void times_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		assert_true(tls_parse_time((const uint8_t *)times[i].der,
					   times[i].len) == times[i].want);
}

/* Two ends of a connection in memory: what one writes the other reads. */
struct pipe_end {
	uint8_t buf[16384];
	size_t len;
	struct pipe_end *other;
};

static int pipe_send(WOLFSSL *ssl DAE_UNUSED, char *buf, int len, void *arg)
{
	struct pipe_end *to = ((struct pipe_end *)arg)->other;
	size_t n = MIN((size_t)len, sizeof(to->buf) - to->len);

	memcpy(to->buf + to->len, buf, n);
	to->len += n;
	return n ? (int)n : WOLFSSL_CBIO_ERR_WANT_WRITE;
}

static int pipe_recv(WOLFSSL *ssl DAE_UNUSED, char *buf, int len, void *arg)
{
	struct pipe_end *from = arg;
	size_t n = MIN((size_t)len, from->len);

	if (n == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	memcpy(buf, from->buf, n);
	from->len -= n;
	memmove(from->buf, from->buf + n, from->len);
	return (int)n;
}

static void attach(WOLFSSL *ssl, struct pipe_end *end)
{
	wolfSSL_SSLSetIORecv(ssl, pipe_recv);
	wolfSSL_SSLSetIOSend(ssl, pipe_send);
	wolfSSL_SetIOReadCtx(ssl, end);
	wolfSSL_SetIOWriteCtx(ssl, end);
}

static WOLFSSL *server_new(WOLFSSL_CTX **ctx, const char *alpn)
{
	char list[32];
	WOLFSSL *ssl;

	*ctx = wolfSSL_CTX_new(wolfTLS_server_method());
	assert_int_equal(wolfSSL_CTX_use_certificate_buffer(
				 *ctx, serv_ecc_der_256,
				 sizeof(serv_ecc_der_256), SSL_FILETYPE_ASN1),
			 WOLFSSL_SUCCESS);
	assert_int_equal(wolfSSL_CTX_use_PrivateKey_buffer(
				 *ctx, ecc_key_der_256, sizeof(ecc_key_der_256),
				 SSL_FILETYPE_ASN1),
			 WOLFSSL_SUCCESS);
	ssl = wolfSSL_new(*ctx);
	if (alpn) {
		strcpy(list, alpn);
		assert_int_equal(
			wolfSSL_UseALPN(ssl, list, (unsigned int)strlen(list),
					WOLFSSL_ALPN_FAILED_ON_MISMATCH),
			WOLFSSL_SUCCESS);
	}
	return ssl;
}

/* A handshake with a server that has this ALPN; the client's verdict. */
static int shake(const struct tls_peer *peer, const char *alpn, struct fail *f,
		 struct tls_session *s)
{
	struct pipe_end ends[2] = { { .other = &ends[1] },
				    { .other = &ends[0] } };
	struct tls_ctx *t = NULL;
	WOLFSSL_CTX *server_ctx;
	WOLFSSL *server;
	int r = 0, err = 0;

	assert_int_equal(tls_ctx_new(&t, -1), 0);
	assert_int_equal(tls_session_init(s, t, TLS_OVER_TCP, peer), 0);
	server = server_new(&server_ctx, alpn);
	attach(s->ssl, &ends[0]);
	attach(server, &ends[1]);
	for (int i = 0; i < 20 && r != WOLFSSL_SUCCESS; i++) {
		r = wolfSSL_connect(s->ssl);
		err = wolfSSL_get_error(s->ssl, r);
		if (r != WOLFSSL_SUCCESS && err != WOLFSSL_ERROR_WANT_READ)
			break;
		wolfSSL_accept(server);
	}
	r = r == WOLFSSL_SUCCESS ? tls_session_check(s, f)
				 : tls_session_fail(s, err, -1, f);
	wolfSSL_free(server);
	wolfSSL_CTX_free(server_ctx);
	tls_session_clear(s);
	tls_session_clear(s);
	tls_ctx_free(&t);
	return r;
}

static void the_alpn_must_be_chosen(void **state)
{
	struct tls_peer peer = { .name = "www.wolfssl.com",
				 .alpn = "h2",
				 .alpn_required = true,
				 .insecure = true };
	struct tls_session s;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(shake(&peer, "h2", &f, &s), 0);
	assert_true(s.cert_not_after > 0);
	/* The library is content with a server that does not know ALPN. */
	assert_int_equal(shake(&peer, NULL, &f, &s), -EPROTO);
	assert_int_equal(f.outcome, OUTCOME_ALPN_MISMATCH);
	assert_string_equal(f.detail, "none chosen");
	f = (struct fail){ 0 };
	peer.alpn_required = false;
	assert_int_equal(shake(&peer, NULL, &f, &s), 0);
	/* And one that refuses says so itself. */
	peer.alpn_required = true;
	assert_int_equal(shake(&peer, "dot", &f, &s), -EPROTO);
	assert_int_equal(f.outcome, OUTCOME_ALPN_MISMATCH);
	assert_int_equal(f.foreign_kind, FOREIGN_TLS_ALERT);
	assert_true(f.foreign == 120);
}

static void without_a_ca_nobody_is_trusted(void **state)
{
	struct tls_peer peer = { .name = "www.wolfssl.com" };
	struct tls_session s;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(shake(&peer, NULL, &f, &s), -EPROTO);
	assert_int_equal(f.outcome, OUTCOME_CERT_UNTRUSTED);
	assert_int_equal(f.foreign_kind, FOREIGN_X509);
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
	struct tls_peer peer = { .name = "a.test", .alpn = "a,b" };
	struct tls_ctx *t = NULL;
	struct tls_session s;
	char name[300];

	(void)state;
	assert_int_equal(tls_ctx_new(&t, -1), 0);
	assert_int_equal(tls_session_init(&s, t, TLS_IN_QUIC, &peer), -EINVAL);
	peer.alpn = "0123456789012345678901234567890123456789";
	assert_int_equal(tls_session_init(&s, t, TLS_IN_QUIC, &peer), -EINVAL);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	peer = (struct tls_peer){ .name = name };
	assert_int_equal(tls_session_init(&s, t, TLS_OVER_TCP, &peer), -EINVAL);
	tls_ctx_free(&t);
	tls_ctx_free(&t);
}

static void a_bundle_without_certificates_is_an_error(void **state)
{
	static const char text[] = "# no certificate at all\n";
	struct tls_ctx *t = NULL;
	auto_fd int fd = fd_sealed_memfd("ca", text, sizeof(text) - 1);
	auto_fd int empty = fd_sealed_memfd("ca", text, 0);

	(void)state;
	assert_true(fd >= 0 && empty >= 0);
	assert_int_equal(tls_ctx_new(&t, fd), -EINVAL);
	assert_int_equal(tls_ctx_new(&t, empty), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(the_alpn_must_be_chosen),
		cmocka_unit_test(without_a_ca_nobody_is_trusted),
		cmocka_unit_test(what_cannot_be_asked_for_is_refused),
		cmocka_unit_test(a_bundle_without_certificates_is_an_error),
	};

	if (tls_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
