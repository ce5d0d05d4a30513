/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/msg.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"

#define ON(state) (1U << SLOT_##state)
#define ANY_STATE 1U /* the worker has no states: bit 0 */
#define PAYLOAD_MAX (MSG_MAX - (uint32_t)sizeof(struct msg_hdr))
#define FIXED(type) sizeof(type), sizeof(type)

const struct msg_rule msg_from_worker[MSG_TYPE_COUNT] = {
	/* min and max length, min and max descriptors, accepted while */
	[MSG_HELLO] = { FIXED(struct hello), 0, 0, ON(STARTING) },
	[MSG_RESULTS] = { sizeof(struct result),
			  MSG_RESULTS_MAX * sizeof(struct result), 0, 0,
			  ON(READY) | ON(DRAINING) },
	[MSG_SOCKET_REQUEST] = { FIXED(struct socket_request), 0, 0,
				 ON(READY) | ON(DRAINING) },
	[MSG_HEARTBEAT] = { FIXED(struct heartbeat), 0, 0,
			    ON(READY) | ON(DRAINING) },
	[MSG_DRAINED] = { 0, 0, 0, 0, ON(DRAINING) },
}; /* a type without a row is accepted in no state at all */

const struct msg_rule msg_from_supervisor[MSG_TYPE_COUNT] = {
	[MSG_SETUP] = { FIXED(struct setup), 1, 1, ANY_STATE },
	[MSG_JOBS] = { 2, PAYLOAD_MAX, 1, MSG_FDS_MAX, ANY_STATE },
	[MSG_SOCKET] = { FIXED(struct socket_reply), 0, 1, ANY_STATE },
	[MSG_CANCEL] = { FIXED(struct cancel), 0, 0, ANY_STATE },
	[MSG_DRAIN] = { 0, 0, 0, 0, ANY_STATE },
};

static const char *const type_names[] = {
	[MSG_NONE] = "none",	       [MSG_HELLO] = "hello",
	[MSG_RESULTS] = "results",     [MSG_SOCKET_REQUEST] = "socket_request",
	[MSG_HEARTBEAT] = "heartbeat", [MSG_DRAINED] = "drained",
	[MSG_SETUP] = "setup",	       [MSG_JOBS] = "jobs",
	[MSG_SOCKET] = "socket",       [MSG_CANCEL] = "cancel",
	[MSG_DRAIN] = "drain",
};
static_assert(ARRAY_LEN(type_names) == MSG_TYPE_COUNT, "name the message");

static const char *const state_names[] = {
	[SLOT_EMPTY] = "empty",	    [SLOT_STARTING] = "starting",
	[SLOT_READY] = "ready",	    [SLOT_DRAINING] = "draining",
	[SLOT_KILLING] = "killing", [SLOT_BACKOFF] = "backoff",
	[SLOT_FAILED] = "failed",
};
static_assert(ARRAY_LEN(state_names) == SLOT_STATE_COUNT, "name the state");

int msg_check(const struct msg_rule *rules, unsigned int state, const void *buf,
	      size_t len, size_t nfds, struct msg_hdr *ret_hdr)
{
	const struct msg_rule *rule;
	struct msg_hdr hdr;
	struct rcur c;

	if (len < sizeof(hdr) || len > MSG_MAX)
		return -EBADMSG;
	rcur_init(&c, buf, sizeof(hdr));
	hdr.type = rcur_u16(&c);
	hdr.version = rcur_u16(&c);
	hdr.request_id = rcur_u32(&c);
	if (hdr.version != MSG_VERSION || hdr.type >= MSG_TYPE_COUNT)
		return -EPROTO;
	rule = &rules[hdr.type];
	if (state >= SLOT_STATE_COUNT || !(rule->allowed & (1U << state)))
		return -EPROTO;
	len -= sizeof(hdr);
	if (len < rule->min || len > rule->max || nfds < rule->fds_min ||
	    nfds > rule->fds_max)
		return -EBADMSG;
	if (hdr.type == MSG_RESULTS && len % sizeof(struct result))
		return -EBADMSG;
	*ret_hdr = hdr;
	return 0;
}

const char *msg_type_name(unsigned int type)
{
	return type < MSG_TYPE_COUNT ? type_names[type] : "?";
}

const char *slot_state_name(unsigned int state)
{
	return state < SLOT_STATE_COUNT ? state_names[state] : "?";
}
