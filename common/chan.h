/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of the worker channel: a SOCK_SEQPACKET socket on a libevent loop.
 * Every record passes msg_check() before a handler sees it. Whatever the peer
 * does, the worst that happens is on_close(): once, and nothing after it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

struct chan;
struct event_base;

#define CHAN_QUEUE_MAX 64 /* messages waiting for a slow peer */

/* A message as received. What the handler does not take from @fds by TAKE_FD()
 * is closed when it returns. @payload is not aligned: copy, or use a cursor. */
struct chan_in {
	struct msg_hdr hdr;
	const uint8_t *payload;
	size_t len;
	int *fds;
	size_t nfds;
};

struct chan_out {
	uint16_t type; /* enum msg_type */
	uint32_t request_id;
	const void *payload;
	size_t len;
	const int *fds; /* see chan_send() */
	size_t nfds;
};

struct chan_ops {
	/* A negative answer closes the channel with it. May call chan_free(). */
	int (*on_message)(void *arg, const struct chan_in *in);
	/* @error: 0 if the peer closed, -EPROTO, -EBADMSG, or of the socket.
	 * May call chan_free(), which somebody has to. */
	void (*on_close)(void *arg, int error);
	/* The queue is empty again; may be NULL. */
	void (*on_flushed)(void *arg);
};

/*
 * @fd is the channel's from here, also if this fails. @rules: those of the
 * other side's messages. The state is SLOT_EMPTY (0) until chan_set_state();
 * a worker leaves it there. 0 or -errno.
 */
int chan_new(struct chan **ret, struct event_base *base, int fd,
	     const struct msg_rule *rules, const struct chan_ops *ops,
	     void *arg);
/* Accepts NULL, sets *c to NULL, closes the socket and all queued descriptors.
 * No callback comes after it. */
void chan_free(struct chan **c);
#define auto_chan __attribute__((cleanup(chan_free)))

void chan_set_state(struct chan *c, unsigned int state);

/*
 * Send, or queue behind what is queued. On 0 the descriptors are the channel's,
 * which closes them once they are sent; on error they are still the caller's.
 * -ENOBUFS: the queue is full; -EMSGSIZE; -EPIPE: closed; -errno of sendmsg.
 */
int chan_send(struct chan *c, const struct chan_out *out);
/* Read now what a peer that is dead left behind; may call on_message() often
 * and on_close(), and so may end in chan_free(). */
void chan_read_rest(struct chan *c);
/* True while messages wait for the peer. */
bool chan_is_backlogged(const struct chan *c);
/* Messages received so far, for the owner's flood limit. */
uint64_t chan_received(const struct chan *c);
