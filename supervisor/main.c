/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/log.h"
#include "dae_build_id.h"
#include "supervisor/compile/check.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/config_load.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/datapath/doctor.h"
#include "supervisor/kernel_links.h"
#include "supervisor/options.h"
#include "supervisor/supervisor.h"

#define DIAG_TEXT_MAX 4096
#define FINDINGS_MAX 64
#define EXIT_BAD_CONFIG 6 /* as daectl's */

static void print_diags(const struct config_diags *diags)
{
	char text[DIAG_TEXT_MAX];

	for (size_t i = 0; i < diags->count; i++) {
		config_diag_format(&diags->items[i], text, sizeof(text));
		fputs(text, stderr);
	}
}

static int main_check(const struct options *o)
{
	auto_diags struct config_diags diags = { .count = 0 };
	auto_config struct config *c = NULL;
	char text[256], path[PATH_MAX];
	struct launch_how how = { .path = path, .config = o->config };
	int r;

	r = config_load(&c, o->config, &diags);
	if (r == 0) {
		snprintf(path, sizeof(path), "%.4000s/dae-compile", o->libexec);
		compile_choose_user(&how);
		r = compile_check(&how, c, &diags);
	}
	print_diags(&diags);
	if (r < 0)
		return EXIT_BAD_CONFIG;
	puts(config_summary(c, text, sizeof(text)));
	return 0;
}

static int main_cleanup(const struct options *o)
{
	struct datapath_error err = { .text = "" };
	char saved[PATH_MAX];
	int r;

	snprintf(saved, sizeof(saved), "%s/sysctls", o->state_dir);
	r = datapath_cleanup(o->bpf_dir, saved, &err);
	if (r == 0)
		return 0;
	fprintf(stderr, "dae-supervisor: cleanup: %s\n",
		err.text[0] ? err.text : strerror(-r));
	return 1;
}

/* Of the configuration, if there is one that can be read and used. */
static void doctor_facts(struct doctor_options *opt, struct kernel_links *links,
			 const char *path)
{
	static const char defaults[] = "global {} routing { fallback: direct }";
	auto_diags struct config_diags diags = { .count = 0 };
	auto_config struct config *c = NULL;

	if (config_load(&c, path, &diags) < 0) {
		config_diags_clear(&diags);
		if (config_parse(&c, defaults, strlen(defaults), &diags) < 0)
			return;
	}
	opt->mark = c->supervisor.mark;
	opt->mark_mask = c->supervisor.mark_mask;
	if (kernel_links_find(links, &c->global.lan_interface) < 0)
		return;
	opt->lan = links->ifindex;
	opt->lan_count = links->count;
}

static int main_doctor(const struct options *o)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	struct doctor_options opt = { .pin_dir = o->bpf_dir };
	struct kernel_links links = { .count = 0 };
	struct finding *f = calloc(FINDINGS_MAX, sizeof(*f));
	int worst = 0;
	size_t n;

	if (!f)
		return 1;
	doctor_facts(&opt, &links, o->config);
	n = datapath_doctor(&opt, f, FINDINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		printf("%s\t%s\t%s\t%s\n", levels[f[i].level], f[i].what,
		       f[i].text, f[i].hint);
		worst = MAX(worst, (int)f[i].level);
	}
	free(f);
	return worst == FINDING_FAIL;
}

static int main_run(const struct options *o)
{
	struct supervisor *s;
	int r;

	log_init("dae-supervisor");
	r = supervisor_new(&s, o);
	if (r < 0)
		return r == -EINVAL ? EXIT_BAD_CONFIG : 1;
	r = supervisor_run(s);
	supervisor_free(&s);
	return r < 0;
}

int main(int argc, char **argv)
{
	struct options o;

	if (options_parse(&o, argc, argv) < 0)
		return OPTIONS_EXIT_USAGE;
	if (o.help) {
		options_help();
		return 0;
	}
	if (o.version) {
		puts("dae-supervisor " DAE_VERSION);
		return 0;
	}
	if (o.check)
		return main_check(&o);
	if (o.cleanup)
		return main_cleanup(&o);
	if (o.doctor)
		return main_doctor(&o);
	return main_run(&o);
}
