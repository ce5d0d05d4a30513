/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/check.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base.h"
#include "common/priv.h"
#include "common/ruleset.h"
#include "supervisor/config/config_parse.h"

#define NOBODY 65534

void compile_choose_user(struct launch_how *how)
{
	const struct passwd *pw;

	how->uid = PRIV_KEEP_IDS;
	how->gid = getgid();
	if (geteuid() != 0)
		return;
	pw = getpwnam("_dae-worker");
	if (!pw)
		pw = getpwnam("nobody");
	how->uid = pw ? pw->pw_uid : NOBODY;
	how->gid = pw ? pw->pw_gid : NOBODY;
}

void compile_tell_warnings(const struct config *c,
			   const struct task_report *report,
			   struct config_diags *diags)
{
	for (size_t i = 0; i < report->warning_count; i++)
		config_diags_add(diags, c, DIAG_WARNING,
				 &report->warnings[i].pos,
				 report->warnings[i].text);
}

void compile_tell_error(const struct config *c, const struct task_error *e,
			struct config_diags *diags)
{
	config_diags_add(diags, c, DIAG_ERROR, &e->pos, e->text);
}

int compile_check(const struct launch_how *how, const struct config *c,
		  struct config_diags *diags)
{
	struct launch_result res = LAUNCH_RESULT_NONE;
	uint16_t ids[RULESET_GROUPS_MAX];
	struct task_request q = { .routing = &c->routing,
				  .group_ids = ids,
				  .group_count = c->group_count };
	struct task_error e = { .text = "" };
	struct launched l;
	size_t first = diags->count;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = (uint16_t)i;
	if (c->group_count > ARRAY_LEN(ids)) {
		config_diags_add(diags, c, DIAG_ERROR,
				 &c->groups[RULESET_GROUPS_MAX].pos,
				 "more groups than the kernel holds");
		return -E2BIG;
	}
	r = launch_compile(&l, how, &q, &e);
	if (r == 0)
		r = launch_wait(&l, how, &res, &e);
	compile_tell_warnings(c, &res.report, diags);
	if (r < 0)
		compile_tell_error(c, &e, diags);
	config_diags_sort(diags, first);
	launch_result_clear(&res);
	return r;
}
