/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor and cleanup: what needs libbpf is done by the daemon's program. */
#include "supervisor/ctl/daectl_run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"
#include "supervisor/ctl/daectl_paths.h"
#include "supervisor/ctl/doctor.h"

static void facts_of_defaults(struct doctor_facts *f)
{
	static const char text[] = "global {} routing { fallback: direct }";
	auto_diags struct config_diags diags = { 0 };
	auto_config struct config *c = NULL;

	if (config_parse(&c, text, strlen(text), &diags) < 0)
		return;
	f->mark = c->supervisor.mark;
	f->mark_mask = c->supervisor.mark_mask;
	f->so_mark = c->supervisor.so_mark;
	f->rule_priority = c->supervisor.rule_priority;
	f->route_table = c->supervisor.route_table;
}

static void check_daemon(const struct daectl *d, json_t *list,
			 struct doctor_facts *f)
{
	auto_json json_t *env = NULL;
	const json_t *data;
	int r = conn_try(d, "doctor", &env);

	facts_of_defaults(f);
	if (r == CTL_EXIT_DENIED)
		doctor_add(list, DOCTOR_WARN, "daemon",
			   "run it as root, or join the group _dae",
			   "you may not ask the daemon: its configuration is "
			   "taken to be the default");
	else if (r != CTL_EXIT_OK)
		doctor_add(list, DOCTOR_WARN, "daemon",
			   "systemctl start dae-supervisor",
			   "not running: its configuration is taken to be the "
			   "default");
	if (r != CTL_EXIT_OK)
		return;
	data = json_object_get(env, "data");
	f->is_running = true;
	f->mark = (uint32_t)out_int(data, "mark");
	f->mark_mask = (uint32_t)out_int(data, "mark_mask");
	f->so_mark = (uint32_t)out_int(data, "so_mark");
	f->rule_priority = (uint32_t)out_int(data, "rule_priority");
	f->route_table = (uint32_t)out_int(data, "route_table");
	snprintf(f->config, sizeof(f->config), "%s", out_str(data, "config"));
	doctor_add(list, DOCTOR_OK, "daemon", NULL, "running in mode %s",
		   out_str(data, "mode"));
}

/* LEVEL\tWHAT\tTEXT\tHINT lines of dae-supervisor --doctor. */
static void take_lines(json_t *list, char *text)
{
	char *line, *level, *what, *words;

	while ((line = strsep(&text, "\n"))) {
		level = strsep(&line, "\t");
		what = strsep(&line, "\t");
		words = strsep(&line, "\t");
		if (!words)
			continue;
		doctor_add(list,
			   !strcmp(level, "ok")	    ? DOCTOR_OK
			   : !strcmp(level, "fail") ? DOCTOR_FAIL
						    : DOCTOR_WARN,
			   what, line && *line ? line : NULL, "%s", words);
	}
}

static void check_datapath(json_t *list, const struct doctor_facts *f)
{
	auto_free char *text = NULL;
	char path[PATH_MAX];
	char *argv[] = { path, (char *)"--doctor",
			 *f->config ? (char *)"--config" : NULL,
			 (char *)f->config, NULL };

	if (paths_supervisor(path, sizeof(path)) < 0) {
		doctor_add(list, DOCTOR_FAIL, "program",
			   "apt install --reinstall dae-supervisor",
			   "dae-supervisor is not beside this daectl");
		return;
	}
	if (paths_run(path, argv, &text) < 0)
		doctor_add(list, DOCTOR_WARN, "datapath", NULL,
			   "%s --doctor could not be run", path);
	else
		take_lines(list, text);
}

static void print_table(const struct daectl *d, const json_t *list)
{
	static const enum out_color colors[] = { COLOR_GOOD, COLOR_WARN,
						 COLOR_BAD };
	const char *level;
	const json_t *one;
	size_t i, n;

	json_array_foreach(list, i, one) {
		level = out_str(one, "level");
		n = !strcmp(level, "ok") ? 0 : !strcmp(level, "fail") ? 2 : 1;
		printf("%s%-5s%s", out_color(d, colors[n]), level,
		       out_color(d, COLOR_NONE));
		out_print("%-13s %s", out_str(one, "what"),
			  out_str(one, "text"));
		if (*out_str(one, "hint"))
			out_print("                   to mend it: %s",
				  out_str(one, "hint"));
	}
}

static bool has_failure(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (!strcmp(out_str(one, "level"), "fail"))
			return true;
	return false;
}

int run_doctor(struct daectl *d)
{
	struct doctor_facts facts = { 0 };
	auto_json json_t *env = NULL;
	json_t *list = json_array();

	if (!list)
		return CTL_EXIT_FAILED;
	check_daemon(d, list, &facts);
	doctor_check_system(list);
	doctor_check_rules(list, &facts);
	check_datapath(list, &facts);
	env = out_envelope("dae.doctor/1", list);
	if (!env)
		return CTL_EXIT_FAILED;
	if (out_is_json(d)) {
		if (out_json(d, env) != CTL_EXIT_OK)
			return CTL_EXIT_FAILED;
	} else if (!d->is_quiet) {
		print_table(d, list);
	}
	return has_failure(list) ? CTL_EXIT_FAILED : CTL_EXIT_OK;
}

int run_cleanup(struct daectl *d)
{
	static char *envp[] = { "LC_ALL=C", NULL };
	char path[PATH_MAX], *argv[7], **arg = argv;
	json_t *answer = NULL;

	if (conn_try(d, "version", &answer) == CTL_EXIT_OK) {
		json_decref(answer);
		return out_fail(CTL_EXIT_FAILED,
				"systemctl stop dae-supervisor",
				"dae-supervisor is running: stop it first");
	}
	if (paths_supervisor(path, sizeof(path)) < 0)
		return out_fail(CTL_EXIT_FAILED,
				"apt install --reinstall dae-supervisor",
				"dae-supervisor is not beside this daectl");
	*arg++ = path;
	*arg++ = (char *)"--cleanup";
	if (daectl_has(d, OPT_BPF_DIR)) {
		*arg++ = (char *)"--bpf-dir";
		*arg++ = (char *)d->opt[OPT_BPF_DIR];
	}
	if (daectl_has(d, OPT_STATE_DIR)) {
		*arg++ = (char *)"--state-dir";
		*arg++ = (char *)d->opt[OPT_STATE_DIR];
	}
	*arg = NULL;
	execve(path, argv, envp);
	return out_fail(CTL_EXIT_FAILED, NULL, "cannot run %s: %s", path,
			strerror(errno));
}
