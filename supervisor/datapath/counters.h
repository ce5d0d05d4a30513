/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs count, by name: for JSON, text and metrics alike. */
#pragma once

#include "bpf/dae_counters.h"

/* Of enum dae_count; "?" for anything else. Never NULL. */
const char *datapath_count_name(unsigned int c);
