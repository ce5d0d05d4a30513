/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A control request from its bytes to the frame of its answer. */
#include <stdlib.h>

#include "tests/unit/ctl_fixture.h"
#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ctl_fixture *fixture;
	auto_ctl_request struct ctl_request q = { 0 };
	struct ctl_view view;
	struct ctl_call call = { .view = &view, .may_write = true };
	char why[128], *text;
	size_t n;
	int r;

	if (!fixture)
		fixture = ctl_fixture_new();
	if (ctl_request_parse((const char *)data, len, &q, why, sizeof(why)) <
	    0)
		return 0;
	ctl_fixture_ops.view(fixture, &view);
	call.ops = &ctl_fixture_ops;
	call.ctx = fixture;
	call.args = q.args;
	r = ctl_dispatch(&call, q.cmd);
	if (r == 0 && call.is_pending)
		return 0;
	text = ctl_call_format(&call, q.id, r, &n);
	if (!text)
		abort(); /* every answer to this fixture fits a frame */
	free(text);
	ctl_call_clear(&call);
	return 0;
}
