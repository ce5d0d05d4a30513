/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>

#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_schema.h"
#include "supervisor/ctl/daectl_out.h"

int run_schema(struct daectl *d)
{
	auto_json json_t *j = NULL;

	if (d->arg_count == 0) {
		for (size_t i = 0; ctl_schema_name(i); i++)
			puts(ctl_schema_name(i));
		return CTL_EXIT_OK;
	}
	j = ctl_schema_json(d->args[0]);
	if (!j)
		return out_fail(CTL_EXIT_NOT_FOUND,
				"'daectl schema' lists them",
				"no schema is called '%s'", d->args[0]);
	if (json_dumpf(j, stdout, JSON_INDENT(2)) < 0)
		return CTL_EXIT_FAILED;
	putchar('\n');
	return CTL_EXIT_OK;
}
