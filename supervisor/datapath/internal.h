/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files of this folder, its tests and benchmarks need of a datapath. */
#pragma once

#include "supervisor/datapath/maps.h"

struct maps *datapath_maps(struct datapath *d);
/* The program that answers questions about the running tables, loaded when it is
 * first wanted; owned by @d. -ENOENT. */
int datapath_ask_fd(struct datapath *d);
/* The hook loaded last ("connect4"); owned by @d. -ENOENT. */
int datapath_host_fd(const struct datapath *d, const char *hook);
/* The running generation's filter and ring of traced decisions; owned by @d.
 * -ENOENT. */
int datapath_tap_fds(const struct datapath *d, int *ret_filter, int *ret_ring);
/* The program loaded last, for BPF_PROG_TEST_RUN; owned by @d. -ENOENT. */
int datapath_program_fd(const struct datapath *d, bool has_mac);
