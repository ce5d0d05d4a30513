/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wolfSSL's error numbers end here. */
#include "worker/net/tls_ctx.h"

#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "common/base.h"

#define ALERT_NO_APPLICATION_PROTOCOL 120

/* Errors of verification; any not listed is none. */
static const struct {
	int err;
	enum outcome outcome;
} verify_errors[] = {
	{ ASN_AFTER_DATE_E, OUTCOME_CERT_EXPIRED },
	{ ASN_BEFORE_DATE_E, OUTCOME_CERT_NOT_YET_VALID },
	{ DOMAIN_NAME_MISMATCH, OUTCOME_CERT_NAME },
	{ IPADDR_MISMATCH, OUTCOME_CERT_NAME },
	{ ASN_NO_SIGNER_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_SELF_SIGNED_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_SIG_CONFIRM_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_SIG_OID_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_SIG_KEY_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_SIG_HASH_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_NAME_INVALID_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_PATHLEN_SIZE_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_PATHLEN_INV_E, OUTCOME_CERT_UNTRUSTED },
	{ ASN_CRIT_EXT_E, OUTCOME_CERT_UNTRUSTED },
	{ KEYUSAGE_E, OUTCOME_CERT_UNTRUSTED },
	{ EXTKEYUSAGE_E, OUTCOME_CERT_UNTRUSTED },
	{ NOT_CA_ERROR, OUTCOME_CERT_UNTRUSTED },
	{ MAX_CHAIN_ERROR, OUTCOME_CERT_UNTRUSTED },
	{ VERIFY_CERT_ERROR, OUTCOME_CERT_UNTRUSTED },
	{ NO_PEER_CERT, OUTCOME_CERT_UNTRUSTED },
	{ RSA_KEY_SIZE_E, OUTCOME_CERT_UNTRUSTED },
	{ ECC_KEY_SIZE_E, OUTCOME_CERT_UNTRUSTED },
};

static enum outcome outcome_of(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(verify_errors); i++)
		if (verify_errors[i].err == err)
			return verify_errors[i].outcome;
	return OUTCOME_OK;
}

static void detail_reason(struct fail *f, int err)
{
	const char *text = wolfSSL_ERR_reason_error_string((unsigned long)err);

	if (text)
		fail_detail(f, text, strlen(text));
}

int tls_fail_alert(int alert, struct fail *f)
{
	const char *text = wolfSSL_alert_desc_string_long(alert);

	fail_set(f,
		 alert == ALERT_NO_APPLICATION_PROTOCOL ? OUTCOME_ALPN_MISMATCH
							: OUTCOME_TLS_ALERT,
		 FOREIGN_TLS_ALERT, (uint64_t)alert);
	if (text && !f->detail[0])
		fail_detail(f, text, strlen(text));
	return -EPROTO;
}

int tls_session_fail(const struct tls_session *s, int err, int alert,
		     struct fail *f)
{
	WOLFSSL_ALERT_HISTORY seen;
	enum outcome o;

	if (s->verify_error)
		err = s->verify_error;
	if (err == MEMORY_E || err == MEMORY_ERROR)
		return fail_set(f, OUTCOME_LOCAL_RESOURCE, FOREIGN_NONE, 0);
	o = outcome_of(err);
	if (o == OUTCOME_CERT_NOT_YET_VALID && s->clock_unset)
		o = OUTCOME_LOCAL_CLOCK;
	if (o != OUTCOME_OK) {
		fail_set(f, o, FOREIGN_X509, (uint64_t) - (int64_t)err);
		detail_reason(f, err);
		return -EPROTO;
	}
	if (s->ssl &&
	    wolfSSL_get_alert_history(s->ssl, &seen) == WOLFSSL_SUCCESS &&
	    seen.last_rx.level == 2)
		return tls_fail_alert(seen.last_rx.code, f);
	fail_set(f, OUTCOME_TLS_PROTOCOL,
		 alert >= 0 ? FOREIGN_TLS_ALERT : FOREIGN_NONE,
		 alert >= 0 ? (uint64_t)alert : 0);
	detail_reason(f, err);
	return -EPROTO;
}

int tls_session_check(const struct tls_session *s, struct fail *f)
{
	unsigned short len = 0;
	char *chosen = NULL;

	if (!s->alpn_required)
		return 0;
	if (wolfSSL_ALPN_GetProtocol(s->ssl, &chosen, &len) !=
	    WOLFSSL_SUCCESS) {
		fail_set(f, OUTCOME_ALPN_MISMATCH, FOREIGN_NONE, 0);
		fail_detail(f, "none chosen", strlen("none chosen"));
		return -EPROTO;
	}
	if (len == strlen(s->alpn) && memcmp(chosen, s->alpn, len) == 0)
		return 0;
	fail_set(f, OUTCOME_ALPN_MISMATCH, FOREIGN_NONE, 0);
	fail_detail(f, chosen, len);
	return -EPROTO;
}
