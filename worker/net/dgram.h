/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams to and from the target over a connected UDP socket, with the header
 * a proxy wants in front of each (SOCKS5, RFC 1928 section 7) put on and taken
 * off. Incoming ones whose header is not as it must be are dropped.
 */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "worker/net/fail.h"

#define DGRAM_HEAD_MAX 262 /* 4 + 1 + 255 + 2 */
#define DGRAM_MAX 2048	   /* longest datagram we take or send */

struct dgram {
	int fd; /* borrowed */
	uint8_t head[DGRAM_HEAD_MAX];
	size_t head_len;   /* 0: none */
	uint32_t *tx, *rx; /* payload counters of the probe */
	struct sockaddr_storage local,
		peer; /* for a QUIC path; peer = target */
	socklen_t local_len, peer_len;
};

/* 0, -EAGAIN, or -errno (ECONNREFUSED and the like come from ICMP). */
int dgram_send(struct dgram *d, const void *buf, size_t len);
/* Length of the payload in @buf (@cap >= DGRAM_MAX), -EAGAIN or -errno. */
ssize_t dgram_recv(struct dgram *d, void *buf, size_t cap);
