/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_diag.h"

#include "supervisor/ctl/ctl_json.h"

static json_t *one(const struct config_diag *d)
{
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "severity",
		d->severity == DIAG_ERROR ? "error" : "warning", "file",
		ctl_json_text(d->path), "line", ctl_json_int(d->line, d->line),
		"column", ctl_json_int(d->column, d->column), "message",
		ctl_json_text(d->message), "hint", ctl_json_text(d->hint),
		"source", ctl_json_text(d->source), "caret", (int)d->caret,
		"caret_len", (int)d->caret_len);
}

json_t *ctl_diag_json(const struct config_diags *d)
{
	auto_json json_t *list = json_array();

	for (size_t i = 0; list && i < d->count; i++)
		if (ctl_json_append(list, one(&d->items[i])) < 0)
			return NULL;
	return json_incref(list);
}
