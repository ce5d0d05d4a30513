/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request of a client, from its bytes. Everything here is hostile. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define CTL_REQUEST_MAX 65536U /* bytes of one request */
#define CTL_REQUEST_DEPTH 8    /* objects and arrays within each other */
#define CTL_CMD_MAX 64

struct ctl_request {
	uint64_t id; /* echoed in every reply to it */
	char cmd[CTL_CMD_MAX];
	json_t *args; /* an object, owned */
};

/*
 * Read the JSON text of one frame. 0; -EBADMSG if it is not a request at all
 * (ret->id is 0 then); -EPROTONOSUPPORT if it is of another protocol version,
 * with ret->id filled in so that this can be said. @why gets one line.
 */
int ctl_request_parse(const char *text, size_t len, struct ctl_request *ret,
		      char *why, size_t cap);
void ctl_request_clear(struct ctl_request *q);
#define auto_ctl_request __attribute__((cleanup(ctl_request_clear)))
