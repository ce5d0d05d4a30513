/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/probe/dns_check.h"

#include <string.h>

#include <sys/random.h>

#include "common/base.h"

ssize_t dns_check_ask(struct probe *p, struct dns_question *q, bool zero_id,
		      uint8_t *buf)
{
	uint16_t id = 0;
	ssize_t n;

	if (!zero_id && getrandom(&id, sizeof(id), 0) != sizeof(id))
		return fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				(uint64_t)errno);
	if (dns_question_init(q, p->spec.str[JOB_STR_QNAME], p->spec.qtype,
			      id) < 0)
		return fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				EINVAL);
	n = dns_query_build(q, buf, DNS_QUERY_MAX);
	return n < 0 ? fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				(uint64_t)-n)
		     : n;
}

int dns_check_mismatch(struct probe *p)
{
	return fail_set(&p->fail, OUTCOME_DNS_MISMATCH, FOREIGN_NONE, 0);
}

static int fail_rcode(struct probe *p, enum outcome o, uint16_t rcode)
{
	return fail_set(&p->fail, o, FOREIGN_DNS_RCODE, rcode);
}

/* A name is asked for its addresses: any that came are good for it, also of
 * an answer that was cut short. */
static int judge_resolve(struct probe *p, const struct dns_answer *a)
{
	if (a->rcode == DNS_RCODE_NXDOMAIN)
		return fail_rcode(p, OUTCOME_RESOLVE_NXDOMAIN, a->rcode);
	if (a->rcode != DNS_RCODE_NOERROR)
		return fail_rcode(p, OUTCOME_RESOLVE_ERROR, a->rcode);
	if (a->naddrs == 0)
		return fail_set(&p->fail,
				a->truncated ? OUTCOME_DNS_TRUNCATED
					     : OUTCOME_NO_ADDRESS,
				FOREIGN_NONE, 0);
	p->res.naddrs = a->naddrs;
	p->res.addr_family = p->spec.qtype == DNS_TYPE_AAAA ? 6 : 4;
	memcpy(p->res.addrs, a->addrs, sizeof(p->res.addrs));
	return PROBE_DONE;
}

static int judge_health(struct probe *p, const struct dns_answer *a)
{
	uint16_t rcode = p->spec.flags & JOB_EXPECT_RCODE ? p->spec.rcode : 0;
	const char *want = p->spec.str[JOB_STR_EXPECT_RDATA];

	if (p->spec.flags & JOB_ANY_ANSWER)
		return PROBE_DONE;
	if (a->rcode != rcode)
		return fail_rcode(p, OUTCOME_DNS_RCODE, a->rcode);
	if (a->truncated)
		return fail_set(&p->fail, OUTCOME_DNS_TRUNCATED, FOREIGN_NONE,
				0);
	if (*want && !a->has_wanted)
		return fail_set(&p->fail, OUTCOME_BODY_MISMATCH, FOREIGN_NONE,
				0);
	if (!(p->spec.flags & JOB_EXPECT_RCODE) && a->records == 0)
		return fail_set(&p->fail, OUTCOME_DNS_NO_ANSWER, FOREIGN_NONE,
				0);
	return PROBE_DONE;
}

static_assert(DNS_ADDRS_MAX == MSG_ADDRS_MAX, "the answer is copied whole");

int dns_check_answer(struct probe *p, const struct dns_question *q,
		     const void *msg, size_t len)
{
	struct dns_answer a;
	int r;

	r = dns_answer_parse(q, msg, len, p->spec.str[JOB_STR_EXPECT_RDATA],
			     &a);
	if (r == -ESTALE)
		return PROBE_GOING;
	if (r < 0)
		return fail_set(&p->fail, OUTCOME_DNS_MALFORMED, FOREIGN_NONE,
				0);
	p->res.rcode = a.rcode;
	p->res.ttl_s = a.ttl_s;
	return p->spec.kind == JOB_RESOLVE ? judge_resolve(p, &a)
					   : judge_health(p, &a);
}
