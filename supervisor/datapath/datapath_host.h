/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own traffic: which of it a datapath routes. */
#pragma once

#include "supervisor/datapath/datapath.h"

/* The host's own traffic that leaves by @wan (at most DATAPATH_IFACES_MAX), or
 * none of it, from the next datapath_load() on; call again when routes or
 * addresses change. -E2BIG: more routes than the kernel is told. */
int datapath_set_host(struct datapath *d, bool is_wanted, const uint32_t *wan,
		      size_t count);
