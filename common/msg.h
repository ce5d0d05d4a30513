/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker protocol: one record of a SOCK_SEQPACKET socket is one message,
 * a header and a payload. common/PROTOCOL.md is its description. The table of
 * rules stands in front of every handler: a type without a row cannot arrive.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/outcome.h"

#define MSG_VERSION 1
#define MSG_MAX 32768	   /* bytes of a message, header included */
#define MSG_FDS_MAX 32	   /* descriptors with one message */
#define MSG_JOBS_MAX 16	   /* jobs in one MSG_JOBS */
#define MSG_RESULTS_MAX 32 /* results in one MSG_RESULTS */
#define MSG_ADDRS_MAX 8	   /* addresses in a result */
#define MSG_DETAIL_MAX 64

enum msg_type {
	MSG_NONE,
	/* worker to supervisor */
	MSG_HELLO,	    /* struct hello */
	MSG_RESULTS,	    /* 1..MSG_RESULTS_MAX struct result */
	MSG_SOCKET_REQUEST, /* struct socket_request */
	MSG_HEARTBEAT,	    /* struct heartbeat */
	MSG_DRAINED,	    /* empty: all jobs reported, about to exit 0 */
	/* supervisor to worker */
	MSG_SETUP,  /* struct setup and one descriptor: the CA bundle */
	MSG_JOBS,   /* u16 count, then job_encode() each; their sockets */
	MSG_SOCKET, /* struct socket_reply; one descriptor if error is 0 */
	MSG_CANCEL, /* struct cancel */
	MSG_DRAIN,  /* empty: take no more jobs, finish, say DRAINED */
	MSG_TYPE_COUNT
};

enum slot_state {
	SLOT_EMPTY,
	SLOT_STARTING,
	SLOT_READY,
	SLOT_DRAINING,
	SLOT_KILLING,
	SLOT_BACKOFF,
	SLOT_FAILED,
	SLOT_STATE_COUNT
};

struct msg_hdr {
	uint16_t type;
	uint16_t version;    /* MSG_VERSION: bump it with any payload change */
	uint32_t request_id; /* echoed in the answer; 0 asks for none */
};
static_assert(sizeof(struct msg_hdr) == 8, "worker protocol changed");

struct hello {
	uint32_t build_id;
	uint32_t generation; /* as given on the command line */
	uint32_t pid;
	uint8_t role;	      /* enum worker_role */
	uint8_t landlock_abi; /* 0: the kernel has none */
	uint8_t seccomp;      /* 1: filter is on */
	uint8_t zero;
};
static_assert(sizeof(struct hello) == 16, "worker protocol changed");

struct setup {
	uint32_t heap_budget; /* bytes one probe may have live, 0: no cap */
	uint32_t zero;
};
static_assert(sizeof(struct setup) == 8, "worker protocol changed");

struct result {
	uint32_t job_id;
	uint16_t outcome;     /* enum outcome */
	uint8_t phase;	      /* enum phase it ended in */
	uint8_t foreign_kind; /* enum foreign */
	uint64_t foreign;
	uint32_t phase_us[PHASE_COUNT]; /* 0: phase not reached */
	uint32_t bytes_tx, bytes_rx;	/* payload of our sockets */
	uint32_t leaked_bytes; /* library memory still live when it ended */
	uint32_t peak_bytes;
	int64_t cert_not_after; /* unix seconds, 0: none seen */
	uint32_t ttl_s;		/* of the addresses */
	uint16_t rcode;		/* DNS */
	uint8_t naddrs;		/* JOB_RESOLVE */
	uint8_t addr_family;	/* 4 or 6, 0 with none */
	uint8_t addrs[MSG_ADDRS_MAX][16];
	char detail[MSG_DETAIL_MAX]; /* printable ASCII, NUL padded */
};
static_assert(sizeof(struct result) == 264, "worker protocol changed");

/* A further socket for a running job; only addresses of its node are given. */
struct socket_request {
	uint32_t job_id;
	uint8_t family;	  /* 4 or 6 */
	uint8_t proto;	  /* IPPROTO_UDP or IPPROTO_TCP */
	uint16_t port;	  /* host order */
	uint8_t addr[16]; /* unspecified means the node's own */
};
static_assert(sizeof(struct socket_request) == 24, "worker protocol changed");

struct socket_reply {
	uint32_t job_id;
	int32_t error; /* 0 or a negative errno */
};
static_assert(sizeof(struct socket_reply) == 8, "worker protocol changed");

struct cancel {
	uint32_t job_id;
	uint32_t zero;
};
static_assert(sizeof(struct cancel) == 8, "worker protocol changed");

struct heartbeat {
	uint64_t loops; /* turns of the event loop */
	uint64_t probes_done;
	uint64_t heap_bytes; /* live in the allocator */
	uint32_t in_flight;
	uint32_t fds;
};
static_assert(sizeof(struct heartbeat) == 32, "worker protocol changed");

enum worker_role { ROLE_NONE, ROLE_PROBE, WORKER_ROLE_COUNT };

struct msg_rule {
	uint32_t min, max; /* payload bytes */
	uint16_t fds_min, fds_max;
	uint16_t allowed; /* bit per slot state; bit 0 (any) for the worker */
};

extern const struct msg_rule msg_from_worker[MSG_TYPE_COUNT];
extern const struct msg_rule msg_from_supervisor[MSG_TYPE_COUNT];

/*
 * Is this message allowed? @buf holds a whole record of @len bytes with @nfds
 * descriptors. 0, -EPROTO (type, version or state) or -EBADMSG (sizes, counts).
 * On 0, *ret_hdr is filled and the payload begins at buf + sizeof(*ret_hdr).
 */
int msg_check(const struct msg_rule *rules, unsigned int state, const void *buf,
	      size_t len, size_t nfds, struct msg_hdr *ret_hdr);
const char *msg_type_name(unsigned int type);
const char *slot_state_name(unsigned int state);
