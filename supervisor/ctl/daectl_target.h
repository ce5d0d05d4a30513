/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes and monitors as text. */
#pragma once

#include <jansson.h>

#include "supervisor/ctl/daectl_out.h"

void target_print_list(const struct daectl *d, const json_t *env,
		       bool monitors);
void target_print_leaks(const struct daectl *d, const json_t *list);
void target_print_one(const struct daectl *d, const json_t *env);
