/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each command runs; all return an exit code. */
#pragma once

#include "supervisor/ctl/daectl.h"

int run_status(struct daectl *d);
int run_version(struct daectl *d);
int run_nodes_list(struct daectl *d);
int run_nodes_show(struct daectl *d);
int run_nodes_drain(struct daectl *d);
int run_nodes_maint(struct daectl *d);
int run_nodes_up(struct daectl *d);
int run_nodes_auto(struct daectl *d);
int run_nodes_quarantine(struct daectl *d);
int run_nodes_release(struct daectl *d);
int run_monitors_list(struct daectl *d);
int run_monitors_show(struct daectl *d);
int run_groups_list(struct daectl *d);
int run_groups_show(struct daectl *d);
int run_groups_select(struct daectl *d);
int run_groups_auto(struct daectl *d);
int run_workers_list(struct daectl *d);
int run_workers_show(struct daectl *d);
int run_recycle(struct daectl *d);
int run_recycle_policy(struct daectl *d);
int run_events(struct daectl *d);
int run_reload(struct daectl *d);
int run_confirm(struct daectl *d);
int run_check_config(struct daectl *d);
int run_probe(struct daectl *d);
int run_probe_alone(struct daectl *d);
int run_route_test(struct daectl *d);
int run_route_learn(struct daectl *d);
int run_route_learned(struct daectl *d);
int run_route_forget(struct daectl *d);
int run_flows(struct daectl *d);
int run_route_rules(struct daectl *d);
int run_route_trace(struct daectl *d);
int run_doctor(struct daectl *d);
int run_cleanup(struct daectl *d);
int run_schema(struct daectl *d);
int run_completion(struct daectl *d);
int run_help(struct daectl *d);

/* 0, or 8 or 9 for a state that is not well, if --exit-status was given. */
int run_exit_status(const struct daectl *d, const char *state);
