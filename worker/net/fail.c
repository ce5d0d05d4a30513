/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/fail.h"

#include <string.h>

#include "common/base.h"

int fail_set(struct fail *f, enum outcome o, enum foreign kind, uint64_t code)
{
	if (f->outcome == OUTCOME_OK) {
		f->outcome = (uint16_t)o;
		f->foreign_kind = (uint8_t)kind;
		f->foreign = code;
	}
	return -EPROTO;
}

static enum outcome outcome_of_errno(int err, int is_connecting)
{
	switch (err) {
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return OUTCOME_RESET;
	case ETIMEDOUT:
		return is_connecting ? OUTCOME_CONNECT_TIMEOUT
				     : OUTCOME_RESPONSE_TIMEOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENOPROTOOPT: /* ICMP: protocol unreachable */
		return OUTCOME_UNREACHABLE;
	case ENETDOWN: /* these are our own host's doing */
	case EADDRNOTAVAIL:
	case EPERM:
	case EACCES:
		return OUTCOME_LOCAL_ROUTE;
	case ENOMEM:
	case ENOBUFS:
	case EMFILE:
	case ENFILE:
		return OUTCOME_LOCAL_RESOURCE;
	default:
		return OUTCOME_INTERNAL;
	}
}

int fail_errno(struct fail *f, int err, int is_connecting)
{
	if (err < 0)
		err = -err;
	if (err == EAGAIN || err == EINTR || err == EINPROGRESS)
		return -EAGAIN;
	return fail_set(f, outcome_of_errno(err, is_connecting), FOREIGN_ERRNO,
			(uint64_t)err);
}

void fail_detail(struct fail *f, const void *text, size_t len)
{
	const unsigned char *from = text;
	size_t i;

	len = MIN(len, sizeof(f->detail) - 1);
	for (i = 0; i < len && from[i] != '\0'; i++)
		f->detail[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i]
								 : '?';
	memset(f->detail + i, 0, sizeof(f->detail) - i);
}
