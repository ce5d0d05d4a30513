/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/base.h"

const uint16_t job_str_max[] = {
	[JOB_STR_HOST] = 262,	     [JOB_STR_SNI] = 255,
	[JOB_STR_METHOD] = 16,	     [JOB_STR_PATH] = 1024,
	[JOB_STR_ALPN] = 32,	     [JOB_STR_QNAME] = 255,
	[JOB_STR_USER] = 255,	     [JOB_STR_PASSWORD] = 255,
	[JOB_STR_VIA_SNI] = 255,     [JOB_STR_TARGET_NAME] = 255,
	[JOB_STR_EXPECT_BODY] = 256, [JOB_STR_EXPECT_RDATA] = 256,
};
static_assert(ARRAY_LEN(job_str_max) == JOB_STR_COUNT, "bound the string");
static_assert(262 + 255 * 6 + 16 + 1024 + 32 + 256 * 2 + JOB_STR_COUNT <=
		      JOB_ARENA_SIZE,
	      "the arena holds every string at its longest");

#define DEADLINE_MAX_MS 600000U

/* The wire's family byte: 4, 6, or 0 for AF_UNSPEC. */
static void write_sockaddr(struct wcur *w, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *in6 = (const void *)ss;
	const struct sockaddr_in *in = (const void *)ss;

	switch (ss->ss_family) {
	case AF_INET:
		wcur_u8(w, 4);
		wcur_bytes(w, &in->sin_port, 2);
		wcur_bytes(w, &in->sin_addr, 4);
		return;
	case AF_INET6:
		wcur_u8(w, 6);
		wcur_bytes(w, &in6->sin6_port, 2);
		wcur_bytes(w, &in6->sin6_addr, 16);
		wcur_u32(w, in6->sin6_scope_id);
		return;
	default:
		wcur_u8(w, 0);
	}
}

static void read_sockaddr(struct rcur *c, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (void *)ret;
	struct sockaddr_in *in = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	switch (rcur_u8(c)) {
	case 0:
		ret->ss_family = AF_UNSPEC;
		return;
	case 4:
		in->sin_family = AF_INET;
		rcur_bytes(c, &in->sin_port, 2);
		rcur_bytes(c, &in->sin_addr, 4);
		return;
	case 6:
		in6->sin6_family = AF_INET6;
		rcur_bytes(c, &in6->sin6_port, 2);
		rcur_bytes(c, &in6->sin6_addr, 16);
		in6->sin6_scope_id = rcur_u32(c);
		return;
	default:
		c->failed = true;
	}
}

/* What both sides hold a job to, whoever made it. */
static bool is_valid(const struct job_spec *s)
{
	if (s->id == 0 || s->deadline_ms == 0 ||
	    s->deadline_ms > DEADLINE_MAX_MS)
		return false;
	if (s->kind == JOB_NONE || s->kind >= JOB_KIND_COUNT ||
	    s->via >= JOB_VIA_COUNT || s->nfds != 1)
		return false;
	if (s->proto != IPPROTO_TCP && s->proto != IPPROTO_UDP)
		return false;
	if (s->flags & ~(unsigned int)JOB_FLAGS_ALL)
		return false;
	if (s->status_min > s->status_max || s->status_max > 999 ||
	    s->rcode > 0xfff)
		return false;
	if (s->peer.ss_family != AF_INET && s->peer.ss_family != AF_INET6)
		return false;
	return s->via != JOB_VIA_DIRECT || s->target.ss_family == AF_UNSPEC;
}

int job_encode(struct wcur *w, const struct job_spec *spec)
{
	const char *s;

	if (!is_valid(spec))
		return -EINVAL;
	for (int i = 0; i < JOB_STR_COUNT; i++)
		if (spec->str[i] && strlen(spec->str[i]) > job_str_max[i])
			return -EINVAL;
	wcur_u32(w, spec->id);
	wcur_u32(w, spec->deadline_ms);
	wcur_u8(w, spec->kind);
	wcur_u8(w, spec->via);
	wcur_u8(w, spec->nfds);
	wcur_u8(w, spec->proto);
	wcur_u16(w, spec->flags);
	wcur_u16(w, spec->qtype);
	wcur_u16(w, spec->status_min);
	wcur_u16(w, spec->status_max);
	wcur_u16(w, spec->rcode);
	write_sockaddr(w, &spec->peer);
	write_sockaddr(w, &spec->target);
	for (int i = 0; i < JOB_STR_COUNT; i++) {
		s = spec->str[i] ? spec->str[i] : "";
		wcur_str(w, s, job_str_max[i]);
	}
	return wcur_finish(w);
}

int job_decode(struct rcur *c, char *arena, struct job_spec *ret)
{
	struct job_spec s = { 0 };
	size_t used = 0;

	s.id = rcur_u32(c);
	s.deadline_ms = rcur_u32(c);
	s.kind = rcur_u8(c);
	s.via = rcur_u8(c);
	s.nfds = rcur_u8(c);
	s.proto = rcur_u8(c);
	s.flags = rcur_u16(c);
	s.qtype = rcur_u16(c);
	s.status_min = rcur_u16(c);
	s.status_max = rcur_u16(c);
	s.rcode = rcur_u16(c);
	read_sockaddr(c, &s.peer);
	read_sockaddr(c, &s.target);
	for (int i = 0; i < JOB_STR_COUNT; i++) {
		s.str[i] = arena + used;
		used += rcur_str(c, arena + used, JOB_ARENA_SIZE - used,
				 job_str_max[i]) +
			1;
	}
	if (c->failed || !is_valid(&s))
		return -EBADMSG;
	*ret = s;
	return 0;
}
