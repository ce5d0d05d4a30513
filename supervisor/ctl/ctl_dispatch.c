/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/ctl_proto.h"
#include "common/text.h"
#include "supervisor/ctl/ctl_diag.h"
#include "supervisor/ctl/ctl_json.h"

enum level { RO, RW, SECRET };

static const struct {
	const char *name;
	enum level level;
	int (*run)(struct ctl_call *c);
} commands[] = {
	{ "status", RO, ctl_cmd_status },
	{ "version", RO, ctl_cmd_version },
	{ "doctor", RO, ctl_cmd_doctor },
	{ "nodes.list", RO, ctl_cmd_nodes_list },
	{ "nodes.show", RO, ctl_cmd_nodes_show },
	{ "nodes.admin", RW, ctl_cmd_nodes_admin },
	{ "nodes.quarantine", RW, ctl_cmd_nodes_quarantine },
	{ "nodes.release", RW, ctl_cmd_nodes_release },
	{ "monitors.list", RO, ctl_cmd_monitors_list },
	{ "monitors.show", RO, ctl_cmd_monitors_show },
	{ "groups.list", RO, ctl_cmd_groups_list },
	{ "groups.show", RO, ctl_cmd_groups_show },
	{ "groups.select", RW, ctl_cmd_groups_select },
	{ "groups.auto", RW, ctl_cmd_groups_auto },
	{ "workers.list", RO, ctl_cmd_workers_list },
	{ "workers.show", RO, ctl_cmd_workers_show },
	{ "recycle", RW, ctl_cmd_recycle },
	{ "recycle.policy", RO, ctl_cmd_policy_get },
	{ "recycle.policy.set", RW, ctl_cmd_policy_set },
	{ "events", RO, ctl_cmd_events },
	{ "reload", RW, ctl_cmd_reload },
	{ "reload.diff", RW, ctl_cmd_reload_diff },
	{ "reload.flows", RW, ctl_cmd_reload_flows },
	{ "confirm", RW, ctl_cmd_confirm },
	{ "probe", RW, ctl_cmd_probe },
	{ "route.test", RO, ctl_cmd_route_test },
	{ "route.learn", RW, ctl_cmd_route_learn },
	{ "route.learned", SECRET, ctl_cmd_route_learned },
	{ "route.forget", RW, ctl_cmd_route_forget },
	{ "flows", RO, ctl_cmd_flows },
	{ "route.rules", RO, ctl_cmd_route_rules },
	{ "route.trace", SECRET, ctl_cmd_route_trace },
};

int ctl_dispatch(struct ctl_call *c, const char *cmd)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, cmd) != 0)
			continue;
		if (commands[i].level == SECRET && !c->may_write)
			return ctl_fail(c, -EACCES,
					"run it as root, or join the group "
					"_dae-admin",
					"'%s' shows who asked for what", cmd);
		if (commands[i].level == RW && !c->may_write)
			return ctl_fail(c, -EACCES,
					"run it as root, or join the group "
					"_dae-admin",
					"'%s' changes something: you may only "
					"look",
					cmd);
		return commands[i].run(c);
	}
	return ctl_fail(c, -ENOSYS, "the daemon may be older than daectl",
			"no such command: '%s'", cmd);
}

void ctl_call_clear(struct ctl_call *c)
{
	json_decref(c->data);
	json_decref(c->diagnostics);
	c->data = NULL;
	c->diagnostics = NULL;
	c->code = NULL;
}

/* The names of our JSON; the numbers differ between architectures. */
static const char *error_code(int r)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EACCES, "EACCES" },	       { EPERM, "EACCES" },
		{ ENOENT, "ENOENT" },	       { EINVAL, "EINVAL" },
		{ ETIMEDOUT, "ETIMEDOUT" },    { EBUSY, "EBUSY" },
		{ ENOMEM, "ENOMEM" },	       { ENOSYS, "ENOSYS" },
		{ EPROTONOSUPPORT, "EPROTO" }, { EBADMSG, "EBADMSG" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },  { EUSERS, "EUSERS" },
		{ EAGAIN, "EAGAIN" },	       { EMSGSIZE, "EMSGSIZE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].error == -r)
			return names[i].name;
	return "EFAILED";
}

int ctl_fail(struct ctl_call *c, int r, const char *hint, const char *fmt, ...)
{
	char text[CTL_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(c->message, sizeof(c->message), text, strlen(text));
	hint = hint ? hint : "";
	text_clean(c->hint, sizeof(c->hint), hint, strlen(hint));
	c->code = error_code(r);
	return r;
}

int ctl_fail_outcome(struct ctl_call *c, struct ctl_outcome *o,
		     const char *what)
{
	int r = o->r < 0 ? o->r : -EIO;

	if (o->message[0])
		ctl_fail(c, r, o->hint, "%s", o->message);
	else
		ctl_fail(c, r, o->hint, "%s: %s", what, strerror(-r));
	if (o->diags.count == 0)
		return r;
	c->code = "ECONFIG";
	c->diagnostics = ctl_diag_json(&o->diags);
	config_diags_clear(&o->diags);
	return r;
}

int ctl_done(struct ctl_call *c, const char *schema, json_t *data)
{
	if (!data)
		return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	c->schema = schema;
	c->data = data;
	return 0;
}

int ctl_done_plain(struct ctl_call *c)
{
	return ctl_done(c, "dae.result/1",
			json_pack("{s:s}", "result", "done"));
}

int ctl_args(struct ctl_call *c, const char *fmt, ...)
{
	json_error_t err;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = json_vunpack_ex(c->args, &err, JSON_STRICT, fmt, ap);
	va_end(ap);
	if (r < 0)
		return ctl_fail(c, -EINVAL, NULL, "bad arguments: %s",
				err.text);
	return 0;
}

static json_t *error_json(const struct ctl_call *c)
{
	return json_pack("{s:s, s:o, s:o, s:O?}", "code",
			 c->code ? c->code : "EFAILED", "message",
			 ctl_json_text(c->message), "hint",
			 c->hint[0] ? ctl_json_text(c->hint) : json_null(),
			 "diagnostics", c->diagnostics);
}

static json_t *data_json(const struct ctl_call *c, uint64_t id)
{
	const struct ctl_view *v = c->view;
	char host[65] = "";
	json_t *j;

	gethostname(host, sizeof(host) - 1);
	j = json_pack("{s:i, s:I, s:b, s:s, s:o, s:I, s:o, s:O}", "v",
		      CTL_PROTO_VERSION, "id", (json_int_t)id, "ok", 1,
		      "schema", c->schema, "generated_at",
		      ctl_json_wall(v->wall_ns), "seq",
		      (json_int_t)event_last_seq(v->prober->events), "host",
		      ctl_json_text(host), "data", c->data);
	if (j && c->more && json_object_set_new(j, "more", json_true()) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

char *ctl_call_format(const struct ctl_call *c, uint64_t id, int r,
		      size_t *ret_len)
{
	auto_json json_t *j = NULL;
	auto_free char *text = NULL;
	size_t len;

	if (r == 0)
		j = data_json(c, id);
	else
		j = json_pack("{s:i, s:I, s:b, s:o}", "v", CTL_PROTO_VERSION,
			      "id", (json_int_t)id, "ok", 0, "error",
			      error_json(c));
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	if (!text)
		return NULL;
	len = strlen(text);
	if (len > CTL_FRAME_MAX)
		return NULL;
	*ret_len = len;
	return TAKE_PTR(text);
}
