/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/tls_verify.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "common/base.h"

#define NAME_IS_ADDRESS 7 /* GeneralName's tag of iPAddress, RFC 5280 */

bool tls_verify_wants_address(struct tls_session *s,
			      const struct tls_peer *peer)
{
	const struct sockaddr_in6 *v6 = (const void *)peer->addr;
	const struct sockaddr_in *v4 = (const void *)peer->addr;

	if (inet_pton(AF_INET, peer->name, s->addr) == 1) {
		s->addr_len = 4;
	} else if (inet_pton(AF_INET6, peer->name, s->addr) == 1) {
		s->addr_len = 16;
	} else if (*peer->name) {
		return false;
	} else if (peer->addr && peer->addr->ss_family == AF_INET) {
		memcpy(s->addr, &v4->sin_addr, 4);
		s->addr_len = 4;
	} else if (peer->addr && peer->addr->ss_family == AF_INET6) {
		memcpy(s->addr, &v6->sin6_addr, 16);
		s->addr_len = 16;
	} else {
		s->addr_len = 0xff; /* nobody is that */
	}
	return true;
}

/* Is our address one of the certificate's subjectAltNames? */
static bool has_address(const struct tls_session *s, WOLFSSL_X509 *cert)
{
	WOLFSSL_GENERAL_NAMES *names;
	WOLFSSL_GENERAL_NAME *n;
	bool found = false;

	names = wolfSSL_X509_get_ext_d2i(cert, NID_subject_alt_name, NULL,
					 NULL);
	for (int i = 0; !found && i < wolfSSL_sk_num(names); i++) {
		n = wolfSSL_sk_value(names, i);
		found = n && n->type == NAME_IS_ADDRESS && n->d.iPAddress &&
			wolfSSL_ASN1_STRING_length(n->d.iPAddress) ==
				s->addr_len &&
			memcmp(wolfSSL_ASN1_STRING_get0_data(n->d.iPAddress),
			       s->addr, s->addr_len) == 0;
	}
	wolfSSL_GENERAL_NAMES_free(names);
	return found;
}

static int verify_identity(struct tls_session *s, WOLFSSL_X509 *cert)
{
	if (s->addr_len && !has_address(s, cert))
		return IPADDR_MISMATCH;
	if (s->checks_name &&
	    wolfSSL_X509_check_host(cert, s->name, strlen(s->name), 0, NULL) !=
		    WOLFSSL_SUCCESS)
		return DOMAIN_NAME_MISMATCH;
	return 0;
}

int tls_verify_callback(int is_ok, struct WOLFSSL_X509_STORE_CTX *store)
{
	struct tls_session *s = store->userCtx;
	const byte *not_after;
	WOLFSSL_X509 *cert;

	if (!s || store->error_depth != 0)
		return is_ok;
	cert = wolfSSL_X509_STORE_CTX_get_current_cert(store);
	if (!cert)
		return is_ok;
	/* As it stands in the certificate but for the tag: type, length. */
	not_after = wolfSSL_X509_notAfter(cert);
	if (not_after)
		s->cert_not_after = tls_parse_time(not_after,
						   2UL + not_after[1]);
	if (s->insecure)
		return 1;
	if (is_ok)
		s->verify_error = verify_identity(s, cert);
	return is_ok && s->verify_error == 0;
}

/* @n digits, or -1. */
static int digits(const uint8_t *p, int n)
{
	int v = 0;

	while (n-- > 0) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p++ - '0');
	}
	return v;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day -
			  1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

int64_t tls_parse_time(const uint8_t *der, size_t len)
{
	int year, v[5];
	const uint8_t *p = der + 2;
	size_t n;

	if (len < 2 || der[1] != len - 2)
		return 0;
	n = len - 2;
	if (der[0] == ASN_UTC_TIME && n == 13) {
		year = digits(p, 2);
		if (year >= 0)
			year += year < 50 ? 2000 : 1900;
		p += 2;
	} else if (der[0] == ASN_GENERALIZED_TIME && n == 15) {
		year = digits(p, 4);
		p += 4;
	} else {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(v); i++, p += 2) {
		v[i] = digits(p, 2);
		if (v[i] < 0)
			return 0;
	}
	if (year < 0 || *p != 'Z' || v[0] < 1 || v[0] > 12 || v[1] < 1 ||
	    v[1] > 31 || v[2] > 23 || v[3] > 59 || v[4] > 60)
		return 0;
	return days_from_civil(year, v[0], v[1]) * 86400 + v[2] * 3600 +
	       v[3] * 60 + v[4];
}
