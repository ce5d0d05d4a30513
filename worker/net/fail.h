/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why something on the network failed, in our words. Foreign error codes
 * (ngtcp2, wolfSSL, errno, SOCKS) end where a fail is set. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "common/msg.h"

struct fail {
	uint16_t outcome;     /* enum outcome; OUTCOME_OK: none set */
	uint8_t foreign_kind; /* enum foreign */
	uint64_t foreign;
	char detail[MSG_DETAIL_MAX]; /* printable ASCII */
};

/* Keeps the first failure; always returns -EPROTO, so "return fail_set(…)". */
int fail_set(struct fail *f, enum outcome o, enum foreign kind, uint64_t code);
/* errno of a socket call, in the phase before (connect) or after a connection
 * stood. -EAGAIN is returned as it is and sets nothing. */
int fail_errno(struct fail *f, int err, int is_connecting);
/* At most MSG_DETAIL_MAX - 1 bytes; what is not printable ASCII becomes '?'. */
void fail_detail(struct fail *f, const void *text, size_t len);
