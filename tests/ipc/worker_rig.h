/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real dae-worker on the other end of a channel, for its tests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

#include "common/job.h"
#include "common/msg.h"

#define GENERATION 7

struct rig {
	int chan;
	pid_t pid;
	struct hello hello;
	char got[MSG_MAX]; /* last message */
	size_t got_len;
};

/* For cmocka: starts a worker, which has said hello; kills it. */
int rig_start(void **state);
int rig_stop(void **state);
/* The next message but heartbeats, unless one is wanted: its type, or -errno. */
int receive(struct rig *r, bool with_beats);
const void *payload(const struct rig *r);
void send_fds(struct rig *r, uint16_t type, const void *data, size_t len,
	      const int *fds, size_t nfds);
void send_setup(struct rig *r);
/* The exit code within the usual wait, or -1. */
int exit_code(struct rig *r);

/* An HTTP or DNS job with all that it needs but its peer. */
struct job_spec job(uint32_t id, enum job_kind kind, uint8_t proto);
void peer_of(struct job_spec *s, const struct sockaddr_in *to);
/* At most four. */
void send_jobs(struct rig *r, const struct job_spec *jobs, const int *fds,
	       uint16_t n);
/* The next single result. */
struct result next_result(struct rig *r);
/* A socket of @type on a free port of the loopback; its address in *ret. */
int local_socket(int type, struct sockaddr_in *ret);
int connected(int type, const struct sockaddr_in *to);
