/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference that a dry run found. */
#pragma once

#include <jansson.h>

#include "supervisor/ctl/daectl_out.h"

/* Fill in diff and flows of @data, the answer to a dry run. An exit code. */
int reload_diff_fetch(const struct daectl *d, json_t *data);
void reload_diff_print(const struct daectl *d, const json_t *data);
