/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/check.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/base.h"

static const char *const class_names[] = {
	[CHECK_TCP4] = "tcp4",	 [CHECK_TCP6] = "tcp6",
	[CHECK_UDP4] = "udp4",	 [CHECK_UDP6] = "udp6",
	[CHECK_QUIC4] = "quic4", [CHECK_QUIC6] = "quic6",
	[CHECK_UDP] = "udp",	 [CHECK_TCP] = "tcp",
	[CHECK_TLS] = "tls",	 [CHECK_HTTPS] = "https",
	[CHECK_H3] = "h3",	 [CHECK_QUIC] = "quic",
};
static_assert(ARRAY_LEN(class_names) == CHECK_CLASS_COUNT, "name the class");

static const char *const verdict_names[] = {
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_UP] = "up",
	[VERDICT_DOWN] = "down",
	[VERDICT_NOT_APPLICABLE] = "not_applicable",
};
static_assert(ARRAY_LEN(verdict_names) == VERDICT_COUNT, "name the verdict");

static const char *const node_state_names[] = {
	[NODE_UNKNOWN] = "unknown",	    [NODE_UP] = "up",
	[NODE_DEGRADED] = "degraded",	    [NODE_DOWN] = "down",
	[NODE_QUARANTINED] = "quarantined", [NODE_EXPIRED] = "expired",
	[NODE_EXHAUSTED] = "exhausted",	    [NODE_UNSUPPORTED] = "unsupported",
};
static_assert(ARRAY_LEN(node_state_names) == NODE_STATE_COUNT,
	      "name the state");

static const char *const node_admin_names[] = {
	[ADMIN_AUTO] = "auto",
	[ADMIN_DRAIN] = "drain",
	[ADMIN_MAINT] = "maint",
	[ADMIN_FORCED_UP] = "forced_up",
};
static_assert(ARRAY_LEN(node_admin_names) == NODE_ADMIN_COUNT,
	      "name the admin state");

static const char *const recycle_names[] = {
	[RECYCLE_NONE] = "none",
	[RECYCLE_RSS_SOFT] = "rss_soft",
	[RECYCLE_RSS_HARD] = "rss_hard",
	[RECYCLE_OOM] = "oom",
	[RECYCLE_AGE] = "age",
	[RECYCLE_PROBES] = "probes",
	[RECYCLE_FDS] = "fds",
	[RECYCLE_SLOPE] = "slope",
	[RECYCLE_STUCK] = "stuck",
	[RECYCLE_DRAIN_TIMEOUT] = "drain_timeout",
	[RECYCLE_CRASH] = "crash",
	[RECYCLE_RELOAD] = "reload",
	[RECYCLE_ADMIN] = "admin",
};
static_assert(ARRAY_LEN(recycle_names) == RECYCLE_REASON_COUNT,
	      "name the reason");

const char *check_class_name(unsigned int c)
{
	return c < CHECK_CLASS_COUNT ? class_names[c] : "?";
}

const char *verdict_name(unsigned int v)
{
	return v < VERDICT_COUNT ? verdict_names[v] : "?";
}

const char *node_state_name(unsigned int s)
{
	return s < NODE_STATE_COUNT ? node_state_names[s] : "?";
}

const char *node_admin_name(unsigned int a)
{
	return a < NODE_ADMIN_COUNT ? node_admin_names[a] : "?";
}

const char *recycle_reason_name(unsigned int r)
{
	return r < RECYCLE_REASON_COUNT ? recycle_names[r] : "?";
}

int check_class_parse(const char *name)
{
	for (int c = 0; c < CHECK_CLASS_COUNT; c++)
		if (strcmp(name, class_names[c]) == 0)
			return c;
	return -ENOENT;
}

int check_class_family(enum check_class c)
{
	if (c >= CHECK_NODE_COUNT)
		return 0;
	return c == CHECK_TCP4 || c == CHECK_UDP4 || c == CHECK_QUIC4 ? 4 : 6;
}
