/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One probe's result as text, whoever made it. */
#pragma once

#include <jansson.h>

#include "supervisor/ctl/daectl_out.h"

void probe_print(const struct daectl *d, const json_t *r);
/* A failure that is to be the exit code. */
bool probe_is_bad(const json_t *r);
