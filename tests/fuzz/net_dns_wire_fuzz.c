/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer to one of our questions; the first byte says which. */
#include "worker/net/dns_wire.h"

#include <string.h>

#include "common/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct {
		uint16_t type;
		const char *want;
	} asked[] = {
		{ DNS_TYPE_A, "192.0.2.1" }, { DNS_TYPE_AAAA, "2001:db8::1" },
		{ DNS_TYPE_TXT, "text" },    { DNS_TYPE_MX, "mx.a.b." },
		{ DNS_TYPE_SOA, "ns.a.b" },  { DNS_TYPE_CNAME, "c" },
	};
	struct dns_question q;
	struct dns_answer a;
	size_t i;

	if (len == 0)
		return 0;
	i = data[0] % ARRAY_LEN(asked);
	if (dns_question_init(&q, "a.b", asked[i].type, 0x1234) == 0)
		dns_answer_parse(&q, data + 1, len - 1, asked[i].want, &a);
	return 0;
}
