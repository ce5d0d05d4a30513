/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void set_v4(struct addr *a, const void *four)
{
	*a = (struct addr){ .family = 4 };
	memcpy(a->b, mapped, sizeof(mapped));
	memcpy(a->b + 12, four, 4);
}

/* ::ffff:a.b.c.d is the IPv4 address: one spelling, one value. */
static void set_v6(struct addr *a, const void *sixteen)
{
	if (memcmp(sixteen, mapped, sizeof(mapped)) == 0) {
		set_v4(a, (const uint8_t *)sixteen + 12);
		return;
	}
	*a = (struct addr){ .family = 6 };
	memcpy(a->b, sixteen, 16);
}

int addr_parse(const char *text, struct addr *ret)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		set_v4(ret, b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		set_v6(ret, b);
	else
		return -EINVAL;
	return 0;
}

static unsigned int bits_before(const struct addr *a)
{
	return a->family == 4 ? 96 : 0;
}

static void clear_host_bits(struct prefix *p)
{
	unsigned int keep = bits_before(&p->addr) + p->len;

	for (unsigned int i = 0; i < 16; i++, keep -= MIN(keep, 8U))
		if (keep < 8)
			p->addr.b[i] &= (uint8_t)(0xff00U >> keep);
}

/* One to three digits, nothing else, no sign. */
static int parse_len(const char *s, unsigned int max, uint8_t *ret)
{
	unsigned int v = 0;
	size_t n = strlen(s);

	if (n == 0 || n > 3 || strspn(s, "0123456789") != n)
		return -EINVAL;
	if (n > 1 && s[0] == '0')
		return -EINVAL;
	for (; *s; s++)
		v = v * 10 + (unsigned int)(*s - '0');
	if (v > max)
		return -EINVAL;
	*ret = (uint8_t)v;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	struct prefix p = { 0 };
	unsigned int max;
	int r;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	r = addr_parse(host, &p.addr);
	if (r < 0)
		return r;
	max = p.addr.family == 4 ? 32 : 128;
	p.len = (uint8_t)max;
	if (slash && p.addr.family == 4 && strchr(host, ':')) {
		/* ::ffff:1.2.3.0/120 counts the bits of the IPv6 spelling */
		r = parse_len(slash + 1, 128, &p.len);
		if (r == 0 && p.len < 96)
			r = -EINVAL;
		p.len = (uint8_t)(p.len - 96);
	} else if (slash) {
		r = parse_len(slash + 1, max, &p.len);
	}
	if (r < 0)
		return r;
	clear_host_bits(&p);
	*ret = p;
	return 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, 16) == 0;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct prefix q = { .addr = *a, .len = p->len };

	if (p->addr.family != a->family)
		return false;
	clear_host_bits(&q);
	return memcmp(q.addr.b, p->addr.b, 16) == 0;
}

static bool is_zero(const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

bool addr_is_unspecified(const struct addr *a)
{
	if (a->family == 4)
		return is_zero(a->b + 12, 4);
	return is_zero(a->b, 16);
}

static bool is_special_v4(const uint8_t *b)
{
	if (b[0] == 0 || b[0] == 127 || b[0] >= 224) /* "this", multicast... */
		return true;
	return b[0] == 169 && b[1] == 254;
}

/* Ways to write an IPv4 address into an IPv6 one that a host may undo. */
static bool embeds_special_v4(const uint8_t *b)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (is_zero(b, 12)) /* ::1 and the obsolete ::a.b.c.d */
		return true;
	if (memcmp(b, nat64, sizeof(nat64)) == 0)
		return is_special_v4(b + 12);
	return b[0] == 0x20 && b[1] == 0x02 && is_special_v4(b + 2);
}

bool addr_is_special(const struct addr *a)
{
	if (a->family == 4)
		return is_special_v4(a->b + 12);
	if (a->family != 6 || a->b[0] == 0xff)
		return true;
	if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)
		return true;
	return embeds_special_v4(a->b);
}

void addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *ret,
			uint16_t *ret_port)
{
	const struct sockaddr_in6 *in6 = (const void *)ss;
	const struct sockaddr_in *in = (const void *)ss;

	*ret = (struct addr){ 0 };
	*ret_port = 0;
	if (ss->ss_family == AF_INET) {
		set_v4(ret, &in->sin_addr);
		*ret_port = ntohs(in->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		set_v6(ret, &in6->sin6_addr);
		*ret_port = ntohs(in6->sin6_port);
	}
}

socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port,
			   struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (void *)ret;
	struct sockaddr_in *in = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (a->family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->b + 12, 4);
		return sizeof(*in);
	}
	if (a->family != 6)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	return sizeof(*in6);
}

const char *addr_format(const struct addr *a, char *buf)
{
	if (a->family == 4)
		inet_ntop(AF_INET, a->b + 12, buf, ADDR_STRLEN);
	else if (a->family == 6)
		inet_ntop(AF_INET6, a->b, buf, ADDR_STRLEN);
	else
		snprintf(buf, ADDR_STRLEN, "none");
	return buf;
}

const char *addr_format_port(const struct addr *a, uint16_t port, char *buf)
{
	char host[ADDR_STRLEN];

	addr_format(a, host);
	if (a->family == 6)
		snprintf(buf, ADDR_STRLEN, "[%.47s]:%u", host, port);
	else
		snprintf(buf, ADDR_STRLEN, "%.47s:%u", host, port);
	return buf;
}
