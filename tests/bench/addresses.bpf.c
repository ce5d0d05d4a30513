/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One address after the other through the classifier's trie and through the
 * kernel's, and through nothing, all in the same loop. */
#include "bpf/classify.bpf.h"
#include "tests/bench/addresses.h"

char dae_license[] SEC("license")
= "GPL";

struct key4 {
	__u32 len;
	__u32 addr;
};

struct key6 {
	__u32 len;
	__u32 addr[4];
};

#define LPM_MAP(name, key_)                                                    \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                           \
		__uint(map_flags, BPF_F_NO_PREALLOC);                          \
		__uint(max_entries, 1);                                        \
		__type(key, key_);                                             \
		__type(value, __u32);                                          \
	} name SEC(".maps")

LPM_MAP(lpm4, struct key4);
LPM_MAP(lpm6, struct key6);

struct address addresses[ADDRESSES] SEC(".bss.addresses");
__u32 values[ADDRESSES] SEC(".bss.values");
__u32 position, mask, total;

static __always_inline const struct address *address_at(__u32 i)
{
	return &addresses[i & (ADDRESSES - 1)];
}

__noinline int look_none4(__u32 i)
{
	return address_at(i)->v4;
}

__noinline int look_trie4(__u32 i)
{
	return classify_addr4(table_dst4, address_at(i)->v4);
}

__noinline int look_lpm4(__u32 i)
{
	struct key4 k = { 32, address_at(i)->v4 };
	const __u32 *v = bpf_map_lookup_elem(&lpm4, &k);

	return v ? *v : 0;
}

__noinline int look_none6(__u32 i)
{
	return address_at(i)->v6[0] + address_at(i)->v6[1];
}

__noinline int look_trie6(__u32 i)
{
	return classify_addr6(table_dst6, address_at(i)->v6);
}

__noinline int look_lpm6(__u32 i)
{
	struct key6 k = { 128, {} };
	const __u32 *v;

	__builtin_memcpy(k.addr, address_at(i)->v6, 16);
	v = bpf_map_lookup_elem(&lpm6, &k);
	return v ? *v : 0;
}

/* run_: what is timed. keep_: the same with the answers kept. */
#define LOOPS(name)                                                            \
	SEC("tc")                                                              \
	int run_##name(struct __sk_buff *skb __attribute__((unused)))          \
	{                                                                      \
		__u32 at = position, sum = 0, i;                               \
                                                                               \
		for (i = 0; i < AT_ONCE; i++)                                  \
			sum += look_##name((at + i) & mask);                   \
		position = at + AT_ONCE;                                       \
		total += sum;                                                  \
		return 0;                                                      \
	}                                                                      \
	SEC("tc")                                                              \
	int keep_##name(struct __sk_buff *skb __attribute__((unused)))         \
	{                                                                      \
		__u32 at = position, i;                                        \
                                                                               \
		for (i = 0; i < AT_ONCE; i++)                                  \
			values[(at + i) & (ADDRESSES - 1)] = look_##name(at +  \
									 i);   \
		position = at + AT_ONCE;                                       \
		return 0;                                                      \
	}

LOOPS(none4)
LOOPS(trie4)
LOOPS(lpm4)
LOOPS(none6)
LOOPS(trie6)
LOOPS(lpm6)
