/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stage of tests/bpf/stage.h with the router's own processes as clients:
 * where do their flows go, and what do both ends see?
 */
#pragma once

#include "tests/bpf/app.h"
#include "tests/bpf/stage.h"

#define SO_MARK_OURS 0x100
#define MAPPED4 "::ffff:" WORLD_FAR4
#define ROUTER_A4 "10.2.0.1"
#define ROUTER_A6 "fd02::1"

extern struct stage stage;
extern char cgroup[128]; /* the test's own */

/* On wan0 of the stage. */
void host_open(struct rig *rig);
void host_close(struct rig *rig);
struct app_job job_to(int type, const char *to);
const char *unmapped(const char *address);
void want_name(const char *got, const char *address, uint16_t port);
/* The connection arrives at @listener, as one to where the application said. */
void stream_arrives(const struct app_job *j, int listener);
void datagram_arrives(const struct app_job *j, int listener);
/* The same at the engine, which sees the destination and answers from it. */
void datagram_is_proxied(const struct app_job *j, int listener);
void is_refused(struct app_job j, int error);
/* TCP and UDP of both families, connected or not. */
void all_arrive(const struct listeners *l, struct app_job j);
void all_are_proxied(struct app_job j);
