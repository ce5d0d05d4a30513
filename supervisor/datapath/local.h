/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The router's own addresses, for the programs to let their traffic pass. */
#pragma once

#include "supervisor/datapath/maps.h"

/* Read them from the kernel's local table and publish them by one switch.
 * -E2BIG when the map cannot hold them; the old ones stay then. */
int local_refresh(struct maps *m);
