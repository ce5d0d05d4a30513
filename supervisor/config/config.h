/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole configuration: dae's language plus the section supervisor { }, parsed,
 * checked and typed. Immutable after config_parse(); owned by whoever holds it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_routing.h"
#include "supervisor/config/config_supervisor.h"

struct config_list {
	char **items;
	size_t count;
};

struct config_global {
	uint16_t tproxy_port;
	bool has_so_mark;
	uint32_t so_mark_from_dae;
	int log_level;			  /* enum log_level */
	struct config_list tcp_check_url; /* URL, then literal addresses */
	char *tcp_check_http_method;
	struct config_list udp_check_dns; /* host:port, then addresses */
	uint64_t check_interval_ns;
	uint64_t check_tolerance_ns;
	struct config_list lan_interface;
	struct config_list wan_interface;
	bool allow_insecure;
	char *dial_mode;
	char *bootstrap_resolver; /* NULL: /etc/resolv.conf */
	char *fallback_resolver;
	/* keys of dae that act on parts of later versions are parsed, checked, and
	 * answered with one warning each; they have no field here */
};

/* A node line, and what its link says, decoded by config_link.c. */
enum node_scheme {
	SCHEME_DIRECT, /* direct:// , the host itself */
	SCHEME_IFACE,  /* iface://NAME?mark=&gateway= */
	SCHEME_SOCKS5,
	SCHEME_HTTP,
	SCHEME_HTTPS,
	SCHEME_TPROXY,	    /* tproxy://ADDR:PORT */
	SCHEME_UNSUPPORTED, /* known to dae, not usable in this version */
	SCHEME_COUNT
};

struct config_node {
	char *name;   /* tag, else fragment, else host:port */
	char *subtag; /* tag of the subscription, or NULL */
	char *link;   /* as written; holds secrets */
	enum node_scheme scheme;
	char *scheme_text; /* as written, for "unsupported: vless" */
	char *host;	   /* name or literal, no brackets; NULL: none */
	uint16_t port;
	char *user, *password; /* decoded; NULL: none */
	char *sni;	       /* https: NULL means host */
	bool insecure;
	char *iface; /* iface:// */
	uint32_t mark;
	struct addr gateway; /* family 0: none */
	char *reason;	     /* SCHEME_UNSUPPORTED: why, for people */
	uint64_t
		identity; /* hash of all that makes it this node, not the name */
	struct config_pos pos;
};

enum group_policy {
	POLICY_RANDOM,
	POLICY_FIXED,
	POLICY_MIN,
	POLICY_MIN_AVG10,
	POLICY_MIN_MOVING_AVG,
	POLICY_FALLBACK,
	POLICY_STICKY,
	POLICY_COUNT
};

enum on_all_dead {
	ALL_DEAD_UNSET,
	ALL_DEAD_BLOCK,
	ALL_DEAD_DIRECT,
	ALL_DEAD_LAST
};

struct group_member {
	size_t node; /* index into config.nodes */
	int64_t add_latency_ns;
};

struct config_group {
	char *name;
	enum group_policy policy;
	uint32_t fixed_index;
	enum on_all_dead on_all_dead;
	struct group_member *members; /* after filters, in node order */
	size_t member_count;
	bool is_used;		    /* by a rule or the fallback */
	uint64_t check_interval_ns; /* 0: the global one */
	uint64_t check_tolerance_ns;
	bool has_tolerance;
	struct config_pos pos;
};

struct config_upstream {
	char *name;
	char *url; /* udp tcp tcp+udp tls https h3 quic */
	struct config_pos pos;
};

struct config_dns {
	struct config_upstream *upstreams;
	size_t upstream_count;
	bool is_present;
};

struct config_file {
	char *path; /* as shown in messages */
	char *text; /* kept for the caret line */
	size_t len;
	uint32_t include; /* which one named it, as they come; 0: the entry */
};

struct arena;

struct config {
	struct arena *arena; /* owns everything below */
	struct config_file *files;
	size_t file_count;
	struct config_global global;
	struct config_node *nodes;
	size_t node_count;
	struct config_list subscriptions; /* "tag:url"; not fetched yet */
	struct config_group *groups;
	size_t group_count;
	struct config_routing routing;
	struct config_dns dns;
	struct config_supervisor supervisor;
};

const char *group_policy_name(enum group_policy p);
const char *node_scheme_name(enum node_scheme s);

/* Accepts NULL, sets *c to NULL. */
void config_free(struct config **c);
#define auto_config __attribute__((cleanup(config_free)))
