/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's numbers for tcx (Linux 6.6), which the headers of distributions
 * with an older kernel do not have. */
#pragma once

#include <stdint.h>

#include <linux/bpf.h>

#define DAE_TCX_INGRESS ((enum bpf_attach_type)46)
#define DAE_LINK_TYPE_TCX 11

struct tcx_link_info { /* struct bpf_link_info as far as tcx needs it */
	uint32_t type;
	uint32_t id;
	uint32_t prog_id;
	uint32_t zero;
	uint32_t ifindex;
	uint32_t attach_type;
	uint8_t rest[40];
};
