/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An application of the host: a process of its own in a cgroup that the test
 * made, which sends "ping" somewhere, waits for an answer and tells what it saw.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct app_job {
	int type; /* SOCK_STREAM or SOCK_DGRAM */
	const char *to;
	uint16_t port;
	bool by_sendto;	    /* datagrams without connecting */
	int resend;	    /* so often after a refusal */
	const char *source; /* bound to; NULL: nothing */
	const char *device;
	uint32_t mark;
	uint16_t source_port;
	bool is_fastopen, is_mptcp;
	const char *first_to; /* connected there before, then dissolved */
	const char *name;     /* argv[0] */
	int netns;	      /* of the socket; 0: the test's */
	int wait_ms;	      /* for an answer */
};

struct app_answer {
	int error; /* of connecting or sending */
	char text[8];
	/* ADDRESS|PORT, without what is not known */
	char peer[64], own[64], from[64];
};

struct app {
	pid_t pid;
	struct app_answer *answer; /* shared with the process */
};

/* A sub-cgroup of the test's own, and its end. */
void app_cgroup_make(char *ret, size_t size);
void app_cgroup_remove(const char *cgroup);
/* Move the calling process; NULL: back to where all are. */
void app_enter(const char *cgroup);

void app_start(struct app *a, const char *cgroup, const struct app_job *job);
/* Wait for its end; its answer, valid until app_free(). */
const struct app_answer *app_end(struct app *a);
void app_free(struct app *a);
/* "ADDRESS|PORT" of what @fd is bound to (peer: connected to). */
void app_name_of(int fd, bool peer, char ret[64]);
