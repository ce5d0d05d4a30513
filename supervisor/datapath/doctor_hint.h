/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command that lets a firewall pass what it drops, in its users' words. */
#pragma once

#include "supervisor/datapath/nft.h"

struct hint_facts {
	const struct nft_packet *packet;
	const struct nft_drop *drop;
	uint32_t hook; /* NF_INET_* */
	uint32_t mark, mark_mask;
	bool is_proxied; /* else forwarded */
	bool has_docker;
	bool is_zone_shared; /* firewalld's, with the uplink */
};

/* firewalld's zone of the packet's interface: it has chains for each. */
const char *hint_zone(const struct nft_drop *d);
/* "firewalld", "ufw", "iptables" or "nftables". */
const char *hint_firewall(const struct hint_facts *f);
/* What the command opens beside, "" if nothing. */
const char *hint_remark(const struct hint_facts *f);
/* The whole line, to be pasted into a root shell. */
void hint_command(const struct hint_facts *f, char *ret, size_t cap);
