/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one line about us that the service manager shows. */
#pragma once

#include <stddef.h>

struct supervisor;

/* "3 of 4 nodes up, 2 workers, route, configuration #1"; cut to @cap. */
void status_line(const struct supervisor *s, char *buf, size_t cap);
