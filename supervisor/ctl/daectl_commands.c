/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CLI is this table. */
#include "supervisor/ctl/daectl.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/daectl_run.h"

#define NODE_FILTERS                                                           \
	(OPT(OPT_GROUP) | OPT(OPT_STATE) | OPT(OPT_SORT) | OPT(OPT_CLASS) |    \
	 OPT(OPT_FAMILY) | OPT(OPT_LEAKS))
#define MONITOR_FILTERS (OPT(OPT_STATE) | OPT(OPT_SORT) | OPT(OPT_LEAKS))
#define PROBE_OPTIONS                                                          \
	(OPT(OPT_CLASS) | OPT(OPT_FAMILY) | OPT(OPT_NUMBER) |                  \
	 OPT(OPT_COMMIT) | OPT(OPT_STANDALONE) | OPT(OPT_RESOLVER) |           \
	 OPT(OPT_INSECURE))
#define ROUTE_OPTIONS                                                          \
	(OPT(OPT_PROTO) | OPT(OPT_SPORT) | OPT(OPT_DSCP) | OPT(OPT_MAC) |      \
	 OPT(OPT_DOMAIN) | OPT(OPT_PROCESS))
#define FLOW_FILTERS                                                           \
	(OPT(OPT_SRC) | OPT(OPT_DST) | OPT(OPT_PORT) | OPT(OPT_PROTO) |        \
	 OPT(OPT_OUTBOUND) | OPT(OPT_GROUP) | OPT(OPT_NODE))
#define FLOW_OPTIONS                                                           \
	(FLOW_FILTERS | OPT(OPT_LIMIT) | OPT(OPT_CURSOR) | OPT(OPT_COUNT_ONLY))
#define TRACE_OPTIONS                                                          \
	(OPT(OPT_SRC) | OPT(OPT_DST) | OPT(OPT_PORT) | OPT(OPT_PROTO) |        \
	 OPT(OPT_NUMBER) | OPT(OPT_FOR))
#define EVENT_OPTIONS (OPT(OPT_NUMBER) | OPT(OPT_FOLLOW) | OPT(OPT_SINCE))
#define RECYCLE_OPTIONS (OPT(OPT_ALL) | OPT(OPT_NOW))

const struct daectl_command daectl_commands[] = {
	{ "status", NULL, run_status, 0, 0, OPT(OPT_BRIEF) | OPT(OPT_WAIT),
	  ARG_NONE, "", "how everything is, on one screen" },
	{ "nodes", NULL, run_nodes_list, 0, 0, NODE_FILTERS, ARG_NONE, "",
	  "every node, with its checks" },
	{ "nodes", "list", run_nodes_list, 0, 0, NODE_FILTERS, ARG_NONE, "",
	  "the same" },
	{ "nodes", "show", run_nodes_show, 1, 1, OPT(OPT_EVIDENCE), ARG_NODE,
	  "NODE", "one node in full" },
	{ "nodes", "drain", run_nodes_drain, 1, 1, OPT(OPT_FOR), ARG_NODE,
	  "NODE", "take no new flows, keep probing" },
	{ "nodes", "maint", run_nodes_maint, 1, 1, OPT(OPT_FOR), ARG_NODE,
	  "NODE", "neither use nor probe it" },
	{ "nodes", "up", run_nodes_up, 1, 1, OPT(OPT_FOR), ARG_NODE, "NODE",
	  "use it whatever its checks say" },
	{ "nodes", "auto", run_nodes_auto, 1, 1, 0, ARG_NODE, "NODE",
	  "by its checks again" },
	{ "nodes", "quarantine", run_nodes_quarantine, 1, 1, 0, ARG_NODE,
	  "NODE", "do not probe it for a while" },
	{ "nodes", "release", run_nodes_release, 1, 1, 0, ARG_NODE, "NODE",
	  "end its quarantine" },
	{ "monitors", NULL, run_monitors_list, 0, 0, MONITOR_FILTERS, ARG_NONE,
	  "", "monitors and DNS upstreams" },
	{ "monitors", "list", run_monitors_list, 0, 0, MONITOR_FILTERS,
	  ARG_NONE, "", "the same" },
	{ "monitors", "show", run_monitors_show, 1, 1, OPT(OPT_EVIDENCE),
	  ARG_MONITOR, "NAME", "one of them in full" },
	{ "groups", NULL, run_groups_list, 0, 0, 0, ARG_NONE, "",
	  "every group, what it uses and why" },
	{ "groups", "list", run_groups_list, 0, 0, 0, ARG_NONE, "",
	  "the same" },
	{ "groups", "show", run_groups_show, 1, 1, 0, ARG_GROUP, "GROUP",
	  "its members and their scores" },
	{ "groups", "select", run_groups_select, 2, 2, 0, ARG_GROUP,
	  "GROUP NODE", "use this node while it is up" },
	{ "groups", "auto", run_groups_auto, 1, 1, 0, ARG_GROUP, "GROUP",
	  "choose by policy again" },
	{ "workers", NULL, run_workers_list, 0, 0, 0, ARG_NONE, "",
	  "the workers, their memory and age" },
	{ "workers", "list", run_workers_list, 0, 0, 0, ARG_NONE, "",
	  "the same" },
	{ "workers", "show", run_workers_show, 1, 1, 0, ARG_WORKER, "WORKER",
	  "one worker" },
	{ "recycle", NULL, run_recycle, 0, 1, RECYCLE_OPTIONS, ARG_WORKER,
	  "WORKER|--all", "replace a worker; no check is lost" },
	{ "recycle", "policy", run_recycle_policy, 0, -1, 0, ARG_NONE,
	  "[KEY=VALUE...]", "show or change when workers are replaced" },
	{ "probe", NULL, run_probe, 1, 1, PROBE_OPTIONS, ARG_NODE,
	  "NODE|URL|LINK", "probe now and show every phase" },
	{ "events", NULL, run_events, 0, 0, EVENT_OPTIONS, ARG_NONE, "",
	  "what happened" },
	{ "reload", NULL, run_reload, 0, 0, OPT(OPT_DRY_RUN) | OPT(OPT_CONFIRM),
	  ARG_NONE, "", "read the configuration again" },
	{ "confirm", NULL, run_confirm, 0, 0, OPT(OPT_REVERT), ARG_NONE, "",
	  "keep what 'reload --confirm' put in force" },
	{ "check-config", NULL, run_check_config, 1, 1, 0, ARG_FILE, "FILE",
	  "check a configuration; needs no daemon" },
	{ "route", "test", run_route_test, 2, 2, ROUTE_OPTIONS, ARG_NONE,
	  "SRC DST[:PORT]", "which rule a flow would take" },
	{ "route", "rules", run_route_rules, 0, 0, 0, ARG_NONE, "",
	  "every rule, and how many flows it has decided" },
	{ "route", "trace", run_route_trace, 0, 0, TRACE_OPTIONS, ARG_NONE, "",
	  "new flows as they are decided, and by which rule" },
	{ "route", "learn", run_route_learn, 2, -1, OPT(OPT_TTL), ARG_NONE,
	  "NAME ADDR...", "teach the addresses of a name" },
	{ "route", "learned", run_route_learned, 0, 0, 0, ARG_NONE, "",
	  "names and addresses that were learned" },
	{ "route", "forget", run_route_forget, 1, 1, 0, ARG_NONE, "NAME|ADDR",
	  "forget what was learned of it" },
	{ "flows", NULL, run_flows, 0, 0, FLOW_OPTIONS, ARG_NONE, "",
	  "what flows, and which way it goes" },
	{ "doctor", NULL, run_doctor, 0, 0, 0, ARG_NONE, "",
	  "what of this machine helps or hinders" },
	{ "cleanup", NULL, run_cleanup, 0, 0,
	  OPT(OPT_BPF_DIR) | OPT(OPT_STATE_DIR), ARG_NONE, "",
	  "remove every trace in the kernel" },
	{ "version", NULL, run_version, 0, 0, 0, ARG_NONE, "",
	  "of daectl and of the daemon" },
	{ "schema", NULL, run_schema, 0, 1, 0, ARG_NONE, "[NAME]",
	  "the schemas of --json" },
	{ "completion", NULL, run_completion, 1, 1, 0, ARG_SHELL,
	  "bash|zsh|fish", "a completion script" },
	{ "help", NULL, run_help, 0, 2, 0, ARG_NONE, "[COMMAND]",
	  "explain a command" },
};
const size_t daectl_command_count = ARRAY_LEN(daectl_commands);

static void print_options(uint64_t mask)
{
	char left[40];

	for (int i = 0; i < OPT_COUNT; i++) {
		const struct daectl_option *o = &daectl_options[i];
		bool skip = o->arg && o->arg[0] == '[';
		size_t len = o->arg ? strlen(o->arg) : 0;

		if (!(mask & OPT(i)))
			continue;
		snprintf(left, sizeof(left), "%c%c%s --%s%s%.*s%s",
			 o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? "," : " ", o->name,
			 !o->arg ? ""
			 : skip	 ? "[="
				 : "=",
			 (int)(skip ? len - 2 : len),
			 o->arg ? o->arg + skip : "", skip ? "]" : "");
		printf("  %-26s %s\n", left, o->help);
	}
}

static void print_commands(void)
{
	char left[80];

	for (size_t i = 0; i < daectl_command_count; i++) {
		const struct daectl_command *c = &daectl_commands[i];

		if (c->verb && !strcmp(c->verb, "list"))
			continue;
		snprintf(left, sizeof(left), "%s%s%s %s", c->object,
			 c->verb ? " " : "", c->verb ? c->verb : "", c->args);
		printf("  %-30s %s\n", left, c->help);
	}
}

void daectl_print_help(const struct daectl_command *c)
{
	if (!c) {
		puts("daectl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:");
		print_commands();
		puts("\nOptions of every command:");
		print_options(OPT(OPT_GLOBAL_COUNT) - 1);
		puts("\nSee daectl(1).");
		return;
	}
	printf("daectl %s%s%s %s\n  %s\n", c->object, c->verb ? " " : "",
	       c->verb ? c->verb : "", c->args, c->help);
	if (c->options)
		puts("\nOptions:");
	print_options(c->options);
	puts("\nOptions of every command:");
	print_options(OPT(OPT_GLOBAL_COUNT) - 1);
}

int run_help(struct daectl *d)
{
	bool found = false;

	if (d->arg_count == 0) {
		daectl_print_help(NULL);
		return CTL_EXIT_OK;
	}
	for (size_t i = 0; i < daectl_command_count; i++) {
		const struct daectl_command *c = &daectl_commands[i];

		if (strcmp(c->object, d->args[0]) ||
		    (d->arg_count > 1 &&
		     (!c->verb || strcmp(c->verb, d->args[1]))))
			continue;
		if (found)
			putchar('\n');
		daectl_print_help(c);
		found = true;
	}
	if (found)
		return CTL_EXIT_OK;
	fprintf(stderr, "daectl: no such command: see 'daectl help'\n");
	return CTL_EXIT_USAGE;
}
