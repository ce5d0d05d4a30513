/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pool tells of its workers, turned into events, totals and jobs. */
#pragma once

#include "supervisor/pool/pool.h"

/* arg is the struct supervisor. */
extern const struct pool_ops crew_events_ops;
