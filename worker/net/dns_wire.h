/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS messages: a query out, its answer in. The answer is hostile input; it is
 * read with bounded cursors and compression pointers only ever lead backwards.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DNS_NAME_MAX 255 /* bytes of a name on the wire */
#define DNS_QUERY_MAX 512
#define DNS_UDP_MAX 4096 /* longest answer we take by UDP */
#define DNS_TCP_MAX 65535
#define DNS_ADDRS_MAX 8

#define DNS_TYPE_A 1
#define DNS_TYPE_NS 2
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_SOA 6
#define DNS_TYPE_PTR 12
#define DNS_TYPE_MX 15
#define DNS_TYPE_TXT 16
#define DNS_TYPE_AAAA 28
#define DNS_RCODE_NOERROR 0
#define DNS_RCODE_NXDOMAIN 3

struct dns_question {
	uint16_t id;
	uint16_t qtype;
	uint16_t name_len;
	uint8_t name[DNS_NAME_MAX]; /* labels, not compressed */
};

struct dns_answer {
	uint16_t rcode;
	bool truncated;
	uint16_t records; /* of the question's type, at the end of CNAMEs */
	uint32_t ttl_s;	  /* the least of them and of the CNAMEs */
	uint8_t naddrs;	  /* A or AAAA */
	uint8_t addrs[DNS_ADDRS_MAX][16]; /* IPv4 as ::ffff:a.b.c.d */
	bool has_wanted;		  /* a record reads as @want */
};

/* @qname in presentation form, trailing dot optional, "." for the root. -EINVAL
 * if it is no name. */
int dns_question_init(struct dns_question *q, const char *qname, uint16_t qtype,
		      uint16_t id);
/* The query with RD set. Its length, or -EMSGSIZE. */
ssize_t dns_query_build(const struct dns_question *q, uint8_t *buf, size_t cap);
/*
 * Read the answer to @q. @want: what the data of one record must read as (an
 * address, a name, the text of a TXT record), or "". 0; -ESTALE: not an
 * answer to this question (another id, name or type: go on waiting); -EBADMSG:
 * it is one, but damaged.
 */
int dns_answer_parse(const struct dns_question *q, const void *msg, size_t len,
		     const char *want, struct dns_answer *ret);
