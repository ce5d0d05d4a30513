/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world with everything a flow can reach listening in it, the datapath on
 * the router's LAN interface, and the questions tests ask: where does this go?
 */
#pragma once

#include "tests/bpf/rig.h"
#include "tests/bpf/world.h"

#define PORT 8080
#define ENGINE_PORT 7777
#define UPLINK_MARK 0x77
#define SOON_MS 4000
#define NEVER_MS 400

enum { TARGET_ENGINE, TARGET_UPLINK };
enum { GROUP_ENGINE = 3, GROUP_UPLINK = 4, GROUP_BOTH = 5 };

struct stage {
	struct rig *rig;
	struct world w;
	struct listeners {
		int tcp4, tcp6, udp4, udp6;
	} a, b, engine;
};

void stage_open(struct stage *s, struct rig *rig, enum attach_mode m);
void stage_close(struct stage *s);
/* Make one rule for all traffic the running generation. */
void stage_use_rules(struct stage *s, const struct rule_outbound *out);
void stage_use(struct stage *s, enum rule_action action, size_t group);
/* A new TCP connection of the client that @listener accepts. */
int stage_expect_at(const struct stage *s, int listener, const char *far,
		    int *ret_client);
/* Bytes both ways. */
void stage_converse(int client, int server);
void stage_tcp_goes_to(const struct stage *s, int listener, const char *far);
void stage_udp_goes_to(const struct stage *s, int socket, const char *far);
void stage_goes_nowhere(const struct stage *s, int type, const char *far);
void stage_all_go_to(const struct stage *s, const struct listeners *l);
