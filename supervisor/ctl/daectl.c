/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "common/exitcode.h"
#include "supervisor/ctl/daectl_out.h"

int main(int argc, char **argv)
{
	struct daectl d = { 0 };
	int r;

	setlocale(LC_CTYPE, ""); /* widths of what is shown */
	signal(SIGPIPE, SIG_IGN);
	r = daectl_parse(&d, argc, argv);
	if (r < 0)
		return out_finish(CTL_EXIT_OK);
	if (r == CTL_EXIT_OK)
		r = d.cmd->run(&d);
	return out_finish(r);
}
