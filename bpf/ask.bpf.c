/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tables of a generation say of a packet that nobody sent: run by
 * BPF_PROG_TEST_RUN alone, never attached. Neither flows nor counters see it.
 */
#include "bpf/ask.h"
#include "bpf/decide.bpf.h"

char dae_license[] SEC("license")
= "GPL";

SEC("tc")
int dae_ask(struct __sk_buff *skb)
{
	const struct dae_rule *rule;
	struct packet p = {};
	__u32 result, answer;

	if (packet_parse(skb, &p, true) || p.frag)
		return 0;
	p.pname[0] = (__u64)skb->cb[1] << 32 | skb->cb[0];
	p.pname[1] = (__u64)skb->cb[3] << 32 | skb->cb[2];
	result = p.is_v6 ? classify(&p, true) : classify(&p, false);
	rule = decide_rule(result);
	skb->mark = rule->mark;
	answer = ASK_VALID | (result & RULE_INDEX) |
		 (rule->action & 3) << ASK_ACTION |
		 (rule->group & 0xff) << ASK_GROUP;
	if (result & RULE_IS_MUST || rule->flags & DAE_RULE_MUST)
		answer |= ASK_MUST;
	if (rule->flags & DAE_RULE_HAS_MARK)
		answer |= ASK_HAS_MARK;
	if (decide_is_dns(&p, rule, result))
		answer |= ASK_DNS;
	return answer;
}
