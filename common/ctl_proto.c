/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/ctl_proto.h"

#include <errno.h>

#include "common/wire.h"

int ctl_frame_begin(uint8_t header[CTL_HEADER_LEN], size_t len)
{
	struct wcur w;

	if (len == 0 || len > CTL_FRAME_MAX)
		return -EMSGSIZE;
	wcur_init(&w, header, CTL_HEADER_LEN);
	wcur_u32_be(&w, (uint32_t)len);
	return wcur_finish(&w);
}

ssize_t ctl_frame_len(const void *buf, size_t have)
{
	struct rcur c;
	uint32_t len;

	if (have < CTL_HEADER_LEN)
		return -EAGAIN;
	rcur_init(&c, buf, CTL_HEADER_LEN);
	len = rcur_u32_be(&c);
	return len == 0 || len > CTL_FRAME_MAX ? -EMSGSIZE : (ssize_t)len;
}
