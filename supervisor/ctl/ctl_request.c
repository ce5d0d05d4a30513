/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/ctl_proto.h"

/* jansson recurses as deep as the text does: look before it leaps. */
static bool is_shallow(const char *text, size_t len)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
			continue;
		}
		if (text[i] == '"')
			in_string = true;
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if (text[i] == '}' || text[i] == ']')
			depth--;
		if (depth > CTL_REQUEST_DEPTH)
			return false;
	}
	return true;
}

static bool is_command_name(const char *s, size_t len)
{
	if (len == 0 || len >= CTL_CMD_MAX)
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz-.") == len;
}

static int take_fields(json_t *root, struct ctl_request *ret, char *why,
		       size_t cap)
{
	json_t *args = NULL;
	json_int_t v, id;
	const char *cmd;
	json_error_t err;
	size_t len;

	if (json_unpack_ex(root, &err, JSON_STRICT, "{s:I, s:I, s:s%, s?o}",
			   "v", &v, "id", &id, "cmd", &cmd, &len, "args",
			   &args) < 0) {
		snprintf(why, cap, "not a request: %s", err.text);
		return -EBADMSG;
	}
	if (id < 0 || !is_command_name(cmd, len) ||
	    (args && !json_is_object(args))) {
		snprintf(why, cap, "not a request: id, cmd or args");
		return -EBADMSG;
	}
	ret->id = (uint64_t)id;
	if (v != CTL_PROTO_VERSION) {
		snprintf(why, cap, "protocol version %lld, this is %d",
			 (long long)v, CTL_PROTO_VERSION);
		return -EPROTONOSUPPORT;
	}
	ret->args = args ? json_incref(args) : json_object();
	if (!ret->args)
		return -ENOMEM;
	memcpy(ret->cmd, cmd, len);
	ret->cmd[len] = '\0';
	return 0;
}

int ctl_request_parse(const char *text, size_t len, struct ctl_request *ret,
		      char *why, size_t cap)
{
	json_error_t err;
	json_t *root;
	int r;

	*ret = (struct ctl_request){ 0 };
	if (len > CTL_REQUEST_MAX || !is_shallow(text, len)) {
		snprintf(why, cap, "request too large or too deep");
		return -EBADMSG;
	}
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
	if (!root) {
		snprintf(why, cap, "not JSON: %s", err.text);
		return -EBADMSG;
	}
	r = take_fields(root, ret, why, cap);
	json_decref(root);
	return r;
}

void ctl_request_clear(struct ctl_request *q)
{
	json_decref(q->args);
	q->args = NULL;
}
