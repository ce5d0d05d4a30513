/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/quic_int.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/log.h"

/* A worker is executed, never forked, so no other process has these bytes. */
static uint8_t pool[256];
static size_t pool_left;

static void refill(void)
{
	ssize_t n;

	do
		n = getrandom(pool, sizeof(pool), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(pool)) {
		log_error("quic: no random bytes");
		_exit(WORKER_EXIT_INTERNAL);
	}
	pool_left = sizeof(pool);
}

void quic_rand(void *buf, size_t len)
{
	uint8_t *to = buf, *from;
	size_t n;

	for (; len > 0; to += n, len -= n) {
		if (pool_left == 0)
			refill();
		n = MIN(len, pool_left);
		pool_left -= n;
		from = pool + pool_left;
		memcpy(to, from, n);
		explicit_bzero(from, n);
	}
}
