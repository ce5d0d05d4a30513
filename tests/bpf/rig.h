/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A datapath of its own for a test: a fresh network namespace, a bpffs of its
 * own, frames built by hand, programs run by BPF_PROG_TEST_RUN. Nothing touches
 * an interface of the machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ruleset.h"
#include "supervisor/datapath/datapath.h"
#include "supervisor/datapath/internal.h"
#include "tests/bpf/rulegen.h"

#define RIG_MARK 0x8000000U
#define RIG_PASS (-1)
#define RIG_DROP 2

struct rig {
	struct datapath *d;
	char bpffs[64]; /* mount point; the pins lie in a folder of it */
	char pins[80];
	enum attach_mode attach;
	struct ruleset rules;
	struct rules_image_copy {
		void *data;
		size_t len;
	} image;
	uint32_t flow_entries;
	const char *cgroup; /* of the host's traffic; NULL: none */
	uint32_t so_mark;
};

/* A frame under construction. */
struct frame {
	uint8_t b[512];
	size_t len;
	size_t l3, l4; /* offsets */
	bool has_mac;
};

struct rig_result {
	int verdict; /* RIG_PASS or RIG_DROP */
	uint32_t mark;
};

/* Exits with 77 where BPF is not permitted. For cmocka. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* How programs are to be attached: DAE_ATTACH (tcx, clsact) of the environment,
 * else AUTO. */
enum attach_mode rig_mode(void);
/* Opens the datapath anew, with @flow_entries (0: default); AUTO: rig_mode(). */
void rig_open(struct rig *r, enum attach_mode attach, uint32_t flow_entries);
void rig_close(struct rig *r);
/* Compile and load; group ids are indices. */
void rig_load(struct rig *r, const struct config_routing *routing);
/* Group @group sends all classes to these targets, all alive. */
void rig_group(struct rig *r, uint16_t group, const uint16_t *targets,
	       uint16_t count, enum dae_dead on_all_dead);
void rig_target_mark(struct rig *r, uint16_t id, uint32_t mark);
void rig_target_tproxy(struct rig *r, uint16_t id, const char *addr,
		       uint16_t port);
struct rig_result rig_run(const struct rig *r, const struct frame *f);
uint64_t rig_count(const struct rig *r, enum dae_count what);

#define RIG_SYN 0x02
#define RIG_ACK 0x10

/* A whole packet for @q: TCP with @flags, or UDP. */
void frame_make(struct frame *f, const struct ruleset_query *q, uint8_t flags,
		bool has_mac);
/* A query from text; ports 19233 -> @dport. */
void query_make(struct ruleset_query *q, const char *src, const char *dst,
		uint8_t proto, uint16_t dport);
/* Insert @len bytes at @at; later offsets and IP lengths move along. */
void frame_insert(struct frame *f, size_t at, const void *data, size_t len);
