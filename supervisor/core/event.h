/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last things that happened, for daectl events and for the log. Files that
 * include this include libevent, too: struct event and event_add() are its. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EVENT_SUBJECT_MAX 64
#define EVENT_TEXT_MAX 160

enum event_kind {
	EVENT_VERDICT,
	EVENT_SELECTION,
	EVENT_NODE_STATE,
	EVENT_RECYCLE,
	EVENT_CRASH,
	EVENT_WORKER_READY,
	EVENT_WORKER_FAILED,
	EVENT_QUARANTINE,
	EVENT_RELEASE,
	EVENT_OFFLINE,
	EVENT_ONLINE,
	EVENT_RELOAD,
	EVENT_ADMIN,
	EVENT_BUDGET,
	EVENT_NOTE,
	EVENT_KIND_COUNT
};

struct event_record {
	uint64_t seq; /* from 1, without gaps */
	uint64_t mono_ns;
	int64_t wall_ms;
	uint32_t kind;
	uint32_t target;		 /* TARGET_NONE: none */
	char subject[EVENT_SUBJECT_MAX]; /* clean text: a name */
	char text[EVENT_TEXT_MAX];	 /* clean text: what happened */
};

struct event_time {
	uint64_t mono_ns;
	int64_t wall_ms;
};

struct event_ring;

/* Keeps the last @max. -EINVAL, -ENOMEM. */
int event_ring_new(struct event_ring **ret, size_t max);
/* Accepts NULL, sets *r to NULL. */
void event_ring_free(struct event_ring **r);
#define auto_event_ring __attribute__((cleanup(event_ring_free)))
/* Text is cleaned and cut here. Returns the event, valid until the next. */
const struct event_record *event_record(struct event_ring *r,
					enum event_kind kind,
					const struct event_time *at,
					uint32_t target, const char *subject,
					const char *text);
/* The oldest event kept with a sequence number above @seq, or NULL. */
const struct event_record *event_after(const struct event_ring *r,
				       uint64_t seq);
/* The number of the newest, 0: none yet. */
uint64_t event_last_seq(const struct event_ring *r);
const char *event_kind_name(unsigned int kind);
/* The kind spelt @name, or -ENOENT. */
int event_kind_parse(const char *name);
