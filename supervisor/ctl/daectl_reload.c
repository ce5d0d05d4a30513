/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload, and check-config, which needs nobody but the file. */
#include "supervisor/ctl/daectl_reload.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/exitcode.h"
#include "supervisor/compile/check.h"
#include "supervisor/config_load.h"
#include "supervisor/ctl/ctl_diag.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_paths.h"
#include "supervisor/ctl/daectl_run.h"

#define RELOAD_MS 60000

int run_reload(struct daectl *d)
{
	int64_t confirm_ms = daectl_duration_ms(d, OPT_CONFIRM, 0);
	bool is_dry = daectl_has(d, OPT_DRY_RUN);
	auto_json json_t *env = NULL;
	json_t *data;
	char left[OUT_TEXT];
	int r;

	if (confirm_ms < 0)
		return CTL_EXIT_USAGE;
	if (daectl_has(d, OPT_CONFIRM) && (is_dry || confirm_ms < 1000))
		return out_usage(is_dry ? "--dry-run has nothing to confirm"
					: "--confirm: a second at least");
	if (!daectl_has(d, OPT_TIMEOUT))
		d->timeout_ms = RELOAD_MS;
	r = conn_ask(d, "reload",
		     json_pack("{s:b, s:I}", "dry_run", is_dry, "confirm_ms",
			       (json_int_t)confirm_ms),
		     &env);
	if (r != CTL_EXIT_OK)
		return r;
	data = json_object_get(env, "data");
	if (is_dry)
		r = reload_diff_fetch(d, data);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	conn_print_diagnostics(json_object_get(data, "diagnostics"));
	if (!d->is_quiet)
		out_print("%s%s%s", out_str(data, "result"),
			  *out_str(data, "message") ? ": " : "",
			  out_str(data, "message"));
	if (!d->is_quiet && is_dry)
		reload_diff_print(d, data);
	if (!d->is_quiet && confirm_ms)
		out_print("goes back in %s unless 'daectl confirm' comes",
			  out_span((uint64_t)confirm_ms * 1000, left));
	return CTL_EXIT_OK;
}

int run_confirm(struct daectl *d)
{
	auto_json json_t *env = NULL;
	int r;

	if (!daectl_has(d, OPT_TIMEOUT))
		d->timeout_ms = RELOAD_MS;
	r = conn_ask(d, "confirm",
		     json_pack("{s:b}", "revert", daectl_has(d, OPT_REVERT)),
		     &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		out_print("%s",
			  out_str(json_object_get(env, "data"), "result"));
	return CTL_EXIT_OK;
}

static int print_check(const struct daectl *d, const char *path, int r,
		       const struct config *c, const struct config_diags *diags)
{
	int code = r == 0 ? CTL_EXIT_OK : CTL_EXIT_CONFIG;
	json_t *list = ctl_diag_json(diags);
	auto_json json_t *env = NULL;
	char summary[OUT_TEXT] = "";

	if (!list)
		return CTL_EXIT_FAILED;
	if (c)
		config_summary(c, summary, sizeof(summary));
	if (out_is_json(d)) {
		env = out_envelope(
			"dae.check-config/1",
			json_pack("{s:o, s:b, s:I, s:I, s:o, s:o}", "file",
				  ctl_json_text(path), "valid", r == 0,
				  "errors", (json_int_t)diags->error_count,
				  "warnings", (json_int_t)diags->warning_count,
				  "summary", ctl_json_text(c ? summary : NULL),
				  "diagnostics", list));
		if (!env || out_json(d, env) != CTL_EXIT_OK)
			return CTL_EXIT_FAILED;
		return code;
	}
	conn_print_diagnostics(list);
	json_decref(list);
	if (diags->dropped)
		out_fail(0, NULL, "%zu further messages", diags->dropped);
	if (r == 0 && !d->is_quiet)
		out_print("%s: ok: %s", path, summary);
	return code;
}

/* What the rules name is looked at, too: in a process without rights. */
static int check_rules(const struct config *c, const char *path,
		       struct config_diags *diags)
{
	char program[PATH_MAX];
	struct launch_how how = { .path = program, .config = path };
	int r;

	r = paths_compile(program, sizeof(program));
	if (r < 0)
		return r;
	compile_choose_user(&how);
	return compile_check(&how, c, diags);
}

int run_check_config(struct daectl *d)
{
	auto_diags struct config_diags diags = { 0 };
	auto_config struct config *c = NULL;
	int r;

	r = config_load(&c, d->args[0], &diags);
	if (r == 0) {
		r = check_rules(c, d->args[0], &diags);
		if (r < 0 && diags.error_count == 0)
			return out_fail(CTL_EXIT_FAILED, NULL,
					"there is no dae-compile beside this "
					"daectl: is it installed?");
	}
	if (r == -ENOMEM && diags.error_count == 0)
		return out_fail(CTL_EXIT_FAILED, NULL, "out of memory");
	return print_check(d, d->args[0], r, c, &diags);
}
