/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proxy says to us, for any protocol of proto.h; the first byte says
 * what was asked, and in which pieces the rest comes. */
#pragma once

#include "worker/proto/proto.h"

#include "common/base.h"

static inline void proto_fuzz(const struct proto_ops *proto,
			      const uint8_t *data, size_t len)
{
	struct proto_dest dest = {
		.addr.ss_family = AF_INET,
		.name = "",
		.user = len && data[0] & 1 ? "user" : "",
		.password = "password",
		.is_udp = len && data[0] & 2,
	};
	struct proto_dialog d;
	struct fail f = { 0 };
	size_t step;
	ssize_t n = 1;

	if (len == 0 || proto_dialog_start(&d, proto, &dest, &f) < 0)
		return;
	step = 1 + data[0] / 4;
	for (data++, len--; len && n > 0 && !d.is_done;
	     data += n, len -= (size_t)n)
		n = proto->input(&d, data, MIN(step, len));
	if (n > 0 && !d.is_done)
		proto->closed(&d);
	proto->stop(&d);
}
