/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just enough netlink: build a message, talk, dump. Only the kernel is waited
 * for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NETLINK_MESSAGE_MAX 512

struct netlink_message {
	union {
		struct nlmsghdr h;
		uint8_t bytes[NETLINK_MESSAGE_MAX];
	};
};

/* A request of @type with @len bytes of fixed header, zeroed; returns them. */
void *netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags,
		    size_t len);
/* Adds an attribute; the messages built here never come near the limit. */
void netlink_put(struct netlink_message *m, uint16_t type, const void *data,
		 size_t len);
void netlink_put_u32(struct netlink_message *m, uint16_t type, uint32_t value);
/* Send @m on a new socket of @protocol and wait for the answer: 0 or -errno. */
int netlink_talk(int protocol, struct netlink_message *m);

/* Each message of a dump; a return other than 0 ends it and is returned. */
typedef int netlink_visit(const struct nlmsghdr *h, void *arg);
/* The same with a question about one thing. */
int netlink_ask(int protocol, struct netlink_message *m, netlink_visit *visit,
		void *arg);
int netlink_dump(int protocol, struct netlink_message *m, netlink_visit *visit,
		 void *arg);

/* Index attributes behind a fixed header of @skip bytes by type, up to @max. */
void netlink_index(const struct nlmsghdr *h, size_t skip,
		   const struct rtattr **tb, uint16_t max);
/* The attribute of @type inside @nest, or NULL; @nest may be NULL. */
const struct rtattr *netlink_inside(const struct rtattr *nest, uint16_t type);
/* The value of a u32 attribute, 0 if it is not there or too short. */
uint32_t netlink_u32(const struct rtattr *a);

/* The BPF filter with @handle and @priority on clsact ingress of @ifindex: 1 if
 * the name it was attached with begins with @prefix, -EEXIST if it does not, 0
 * if there is none. By name, since to open a program by its number takes
 * CAP_SYS_ADMIN. */
int netlink_find_filter(uint32_t ifindex, uint32_t handle, uint32_t priority,
			const char *prefix);
/* Whether any filter sits on the clsact qdisc of @ifindex: 1, 0 or -errno. */
int netlink_has_filters(uint32_t ifindex);
