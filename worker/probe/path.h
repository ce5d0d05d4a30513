/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the handed socket to the target: directly, or through the job's proxy
 * (worker/proto/), with TLS to the proxy and to the target as the job says.
 * A probe kind asks for a stream or for datagrams and is told when they stand;
 * phases connect, proxy and handshake are noted on the way.
 */
#pragma once

#include "worker/net/dgram.h"
#include "worker/net/stream.h"
#include "worker/probe/probe.h"

struct path;

/* @alpn: protocols to offer in TLS to the target, e.g. "http/1.1"; NULL: none.
 * An ALPN offered must be the one chosen if @alpn_required. */
int path_new_stream(struct path **ret, struct probe *p, const char *alpn,
		    bool alpn_required);
/* UDP straight, or by SOCKS5 UDP ASSOCIATE over the job's TCP socket. */
int path_new_dgram(struct path **ret, struct probe *p);
/* Drive it. 0 it stands, -EAGAIN (watches are set), or failed. To be called from
 * on_ready until it returned 0. */
int path_step(struct path *path, uint64_t now_ns);
struct stream *path_stream(struct path *path);
struct dgram *path_dgram(struct path *path);
/* An error of dgram_send() or dgram_recv() in our words: -EAGAIN, or failed.
 * What refuses behind a proxy is the proxy, for the target. */
int path_dgram_error(struct path *path, int err);
/* Which p->io[] carries the traffic: 0, or 1 for a UDP association. */
unsigned int path_io(const struct path *path);
/* What a deadline means before the path stands. */
enum outcome path_timeout_outcome(const struct path *path);
void path_free(struct path **path);
