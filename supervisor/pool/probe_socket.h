/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets for workers: opened, marked, bound and connected here, since they
 * may do none of it. Where a socket may lead is decided here too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/outcome.h"

struct probe_socket {
	struct sockaddr_storage peer;
	uint8_t proto;	    /* IPPROTO_TCP or IPPROTO_UDP */
	bool is_quic;	    /* UDP: don't fragment, larger buffers */
	bool is_literal;    /* configured so: may be any address */
	uint32_t mark;	    /* SO_MARK, 0: none */
	const char *iface;  /* SO_BINDTODEVICE, NULL: none */
	struct addr source; /* family 0: any */
};

/*
 * A close-on-exec, non-blocking, connecting socket, or -errno. -EXDEV: the
 * address is one that names and peers must not lead us to (loopback,
 * link-local, multicast, unspecified, our own).
 */
int probe_socket_open(const struct probe_socket *s);
/* What a failure of probe_socket_open() says about the target. */
enum outcome probe_socket_outcome(int error);
