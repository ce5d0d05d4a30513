/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules alone: no flow is looked up or kept, own addresses are not asked
 * for. Reads the tables of a generation that is loaded. */
#include "bpf/decide.bpf.h"

char dae_license[] SEC("license")
= "GPL";

SEC("tcx/ingress")
int alone(struct __sk_buff *skb)
{
	struct packet p = {};
	struct flow_hit f = {};

	if (packet_parse(skb, &p, true))
		return 2;
	if (p.is_v6)
		decide_new(&p, &f, true);
	else
		decide_new(&p, &f, false);
	if (group_kind(&f) == DAE_KIND_BLOCK)
		return 2;
	if (f.mark)
		skb->mark = f.mark;
	return -1;
}
