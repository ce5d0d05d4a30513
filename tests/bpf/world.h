/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client, a router (the test itself) and two far sides, a and b, that own the
 * same addresses, in namespaces of their own, joined by veth pairs. Sockets of
 * all of them live in this one process; who accepts says which way a flow took.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#define WORLD_FAR4 "203.0.113.7"
#define WORLD_FAR6 "2001:db8:7::7"
#define WORLD_LAN4 "10.1.0.1"
#define WORLD_LAN6 "fd01::1"

enum world_ns { NS_ROUTER, NS_CLIENT, NS_A, NS_B, NS_COUNT };

struct world {
	int ns[NS_COUNT];	    /* descriptors */
	int holder[NS_COUNT];	    /* processes that keep them, 0: none */
	uint32_t lan, wan_a, wan_b; /* the router's interfaces */
};

/* In a namespace made by rig_setup(). */
void world_make(struct world *w);
void world_end(struct world *w);
/* Runs a shell command in the router's namespace; it must succeed. */
void world_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A socket of @type (SOCK_STREAM or SOCK_DGRAM) in @ns, bound to @addr:@port;
 * streams listen. @transparent: the option is set first. */
int world_listen(const struct world *w, enum world_ns ns, int type,
		 const char *addr, uint16_t port, int transparent);
/* The client's socket, connecting to @addr:@port without waiting. */
int world_connect(const struct world *w, int type, const char *addr,
		  uint16_t port);
/* Whether @fd becomes readable (or writable) within @ms. */
int world_readable(int fd, int ms);
int world_writable(int fd, int ms);
