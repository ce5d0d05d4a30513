/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a reload, and at the start: the flow table is walked in small steps.
 * What names a group or node that has gone is forgotten, before its number is
 * given to another; with reload_flows: reclassify every flow that can be moved
 * is decided anew by its next packet.
 */
#pragma once

#include <stdbool.h>

struct flow_sweep;
struct supervisor;

/* -ENOMEM. */
int flow_sweep_new(struct flow_sweep **ret, struct supervisor *s);
/* Accepts NULL, sets *w to NULL. */
void flow_sweep_free(struct flow_sweep **w);
/* Begin, or begin anew. @has_other_rules: a reload. */
void flow_sweep_start(struct flow_sweep *w, bool has_other_rules);
