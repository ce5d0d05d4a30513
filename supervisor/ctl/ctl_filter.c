/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_filter.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_json.h"

static const char *const filter_keys[] = { "src",   "dst",	"port",
					   "proto", "outbound", "node" };

static int read_prefix(struct ctl_call *c, const char *text, struct prefix *ret)
{
	if (text && prefix_parse(text, ret) < 0)
		return ctl_fail(c, -EINVAL, NULL,
				"an address or ADDR/LEN, not '%s'", text);
	return 0;
}

static int read_filter(struct ctl_call *c, json_t *args,
		       struct ctl_flow_filter *ret)
{
	const char *src = NULL, *dst = NULL, *proto = NULL;
	json_int_t port = 0;
	json_error_t err;
	int r;

	if (json_unpack_ex(args, &err, 0, "{s?s, s?s, s?s, s?I, s?s, s?s}",
			   "src", &src, "dst", &dst, "proto", &proto, "port",
			   &port, "outbound", &ret->outbound, "node",
			   &ret->node) < 0)
		return ctl_fail(c, -EINVAL, NULL, "bad arguments: %s",
				err.text);
	if (port < 0 || port > 65535)
		return ctl_fail(c, -EINVAL, NULL, "no such port");
	if (proto && strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0)
		return ctl_fail(c, -EINVAL, NULL, "proto is tcp or udp");
	if (proto)
		ret->l4proto = proto[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	ret->port = (uint16_t)port;
	r = read_prefix(c, src, &ret->src);
	return r < 0 ? r : read_prefix(c, dst, &ret->dst);
}

int ctl_filter_args(struct ctl_call *c, struct ctl_flow_filter *ret,
		    const char *fmt, ...)
{
	auto_json json_t *rest = json_copy(c->args);
	json_error_t err;
	va_list ap;
	int r;

	*ret = (struct ctl_flow_filter){ .port = 0 };
	if (!rest)
		return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	r = read_filter(c, c->args, ret);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(filter_keys); i++)
		json_object_del(rest, filter_keys[i]);
	va_start(ap, fmt);
	r = json_vunpack_ex(rest, &err, JSON_STRICT, fmt, ap);
	va_end(ap);
	if (r < 0)
		return ctl_fail(c, -EINVAL, NULL, "bad arguments: %s",
				err.text);
	return 0;
}
