/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers as processes: starts, watches, feeds and ends them, on the
 * supervisor's libevent loop. The crew (core) decides, the pool carries out.
 * Nothing a worker sends or does can harm the caller: it loses its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/job.h"
#include "common/msg.h"
#include "supervisor/core/crew.h"

struct event_base;
struct pool;

struct pool_lost {
	uint32_t place, generation;
	bool blame;    /* the targets in flight are suspects */
	uint32_t jobs; /* how many it had */
};

struct pool_exit {
	uint32_t place, generation;
	pid_t pid;
	int status;	/* of waitpid(2) */
	bool is_crash;	/* it ended unasked */
	bool is_failed; /* the place stays down until pool_revive() */
	enum recycle_reason reason;
};

/* All but on_result, on_unsent and on_lost may be NULL. None may free the pool. */
struct pool_ops {
	void (*on_ready)(void *arg, uint32_t place);
	/* The result of a job this worker has; checked, and final. */
	void (*on_result)(void *arg, uint32_t place, uint32_t generation,
			  const struct result *r);
	/* The worker left before it was given this job, which did it no harm:
	 * dispatch it again. */
	void (*on_unsent)(void *arg, uint32_t job_id);
	/* Its other jobs are nobody's now: dispatch them again. */
	void (*on_lost)(void *arg, const struct pool_lost *l);
	/* It will drain or be killed, and why. */
	void (*on_retire)(void *arg, uint32_t place,
			  enum recycle_reason reason);
	void (*on_exit)(void *arg, const struct pool_exit *e);
	void (*on_heartbeat)(void *arg, uint32_t place,
			     const struct heartbeat *h);
};

struct pool_config {
	const char *worker_path; /* strings are copied */
	const char *cgroup;	 /* where workers' memory cgroups go; NULL: see
				 * cgroup_find(); "": none */
	uid_t uid;		 /* PRIV_KEEP_IDS: ours */
	gid_t gid;
	uint32_t build_id;    /* another one's HELLO is refused */
	uint32_t files;	      /* RLIMIT_NOFILE of a worker */
	uint32_t heap_budget; /* see struct setup */
	uint32_t so_mark;     /* on every socket, or-ed with the job's */
	int ca_fd;	      /* CA bundle, borrowed for the pool's life */
	struct recycle_limits limits;
	struct recycle_policy policy;
	const struct pool_ops *ops;
	void *arg;
};

/* No worker is started before the loop runs. 0 or -errno. */
int pool_new(struct pool **ret, struct event_base *base,
	     const struct pool_config *config);
/* Kills and reaps the workers. Accepts NULL, sets *p to NULL. No callback. */
void pool_free(struct pool **p);
#define auto_pool __attribute__((cleanup(pool_free)))

/* What is to be probed, and from where. Strings are used during the call. */
struct pool_job {
	const struct job_spec *spec; /* id, deadline_ms, peer all set */
	const char *iface;	     /* SO_BINDTODEVICE, NULL: any */
	uint32_t mark;
	struct addr source; /* bind to it; family 0: any */
	bool is_literal;    /* peer's address is configured */
	bool is_solo;
};

struct pool_sent {
	uint32_t place, generation; /* on 0 */
	enum outcome outcome;	    /* if the socket failed: on -ECOMM */
	int error;		    /* its errno */
};

/*
 * Open the job's socket and give both to a worker, in one message with others
 * of this turn of the loop. 0; -EAGAIN: no worker is free, try after on_ready,
 * on_result or on_exit; -ECOMM: no socket, which is the job's result; -EINVAL
 * (the job itself), -EEXIST (id in flight), -ENOMEM. May call on_unsent() and
 * on_lost(), if it finds a worker gone.
 */
int pool_dispatch(struct pool *p, const struct pool_job *job,
		  struct pool_sent *ret);
/* Jobs a worker may have at once; the default is POOL_IN_FLIGHT_DEFAULT. */
#define POOL_IN_FLIGHT_DEFAULT 256
void pool_set_in_flight_max(struct pool *p, uint32_t max);
/* The worker forgets it; no result will come. -ENOENT. */
int pool_cancel(struct pool *p, uint32_t job_id);

/* Another size or policy. Strings and ids stay as they are. -EINVAL. */
int pool_resize(struct pool *p, const struct recycle_limits *limits,
		const struct recycle_policy *policy);
/* Other CA certificates, for the workers to come. */
void pool_set_ca(struct pool *p, int ca_fd);
/* Replace one place's worker, or all (CREW_MAX). -ENOENT. */
int pool_recycle(struct pool *p, uint32_t place, enum recycle_reason reason);
/* End one place's worker, or all, at once; their jobs go to others. -ENOENT. */
int pool_kill(struct pool *p, uint32_t place, enum recycle_reason reason);
/* Try a failed place again. -ENOENT: none such, or it has not failed. */
int pool_revive(struct pool *p, uint32_t place);
/* Keep a worker for suspects, alone with one job at a time. */
void pool_want_solo(struct pool *p, bool want);

struct pool_view {
	const struct crew_place *place;
	pid_t pid;		    /* 0: no process */
	struct hello hello;	    /* zero before READY */
	struct heartbeat heartbeat; /* the last one */
	bool has_memory_cgroup;
};

uint32_t pool_count(const struct pool *p);
/* @place below pool_count(). Valid until the loop runs again. */
void pool_view(const struct pool *p, uint32_t place, struct pool_view *ret);
const struct crew *pool_crew(const struct pool *p);
