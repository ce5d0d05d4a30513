/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question to the kernel's routing tables, rtnetlink(7). */
#pragma once

#include <stdbool.h>

#include "common/addr.h"

/* Is this one of our own addresses, whatever interface has it? 0 or -errno. */
int route_query_is_own(const struct addr *a, bool *ret);
