/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/dns_wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "common/base.h"
#include "common/wire.h"

#define HEADER_LEN 12
#define FLAG_QR 0x8000
#define FLAG_TC 0x0200
#define FLAG_RD 0x0100
#define CLASS_IN 1
#define LABEL_MAX 63
#define RECORDS_MAX 512 /* of one message that we look at */
#define TEXT_MAX 1024	/* data of a record, as text */

/* A name as it stood in a message, decompressed. */
struct dns_name {
	uint8_t b[DNS_NAME_MAX];
	uint16_t len;
};

struct dns_rr {
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	uint16_t rdlen;
	size_t rdata; /* offset in the message */
};

struct dns_msg {
	const uint8_t *b;
	size_t len;
};

int dns_question_init(struct dns_question *q, const char *qname, uint16_t qtype,
		      uint16_t id)
{
	size_t out = 0, label;
	const char *p = qname;

	memset(q, 0, sizeof(*q));
	q->id = id;
	q->qtype = qtype;
	if (strcmp(qname, ".") == 0)
		p++;
	else if (*p == '\0')
		return -EINVAL;
	while (*p) {
		label = strcspn(p, ".");
		if (label == 0 || label > LABEL_MAX || memchr(p, '\\', label) ||
		    out + 1 + label + 1 > DNS_NAME_MAX)
			return -EINVAL;
		q->name[out++] = (uint8_t)label;
		memcpy(q->name + out, p, label);
		out += label;
		p += label;
		if (*p == '.')
			p++;
	}
	q->name[out++] = 0;
	q->name_len = (uint16_t)out;
	return 0;
}

ssize_t dns_query_build(const struct dns_question *q, uint8_t *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u16_be(&w, q->id);
	wcur_u16_be(&w, FLAG_RD);
	wcur_u16_be(&w, 1);
	wcur_u16_be(&w, 0);
	wcur_u16_be(&w, 0);
	wcur_u16_be(&w, 0);
	wcur_bytes(&w, q->name, q->name_len);
	wcur_u16_be(&w, q->qtype);
	wcur_u16_be(&w, CLASS_IN);
	if (wcur_finish(&w) < 0)
		return -EMSGSIZE;
	return (ssize_t)w.len;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * The name at @off, and in *ret_next what follows it. Each pointer must lead
 * before the name it stands in, so that no message makes this loop.
 */
static int name_read(const struct dns_msg *m, size_t off, struct dns_name *ret,
		     size_t *ret_next)
{
	size_t floor = off, at = off, target;
	bool jumped = false;
	uint8_t c;

	ret->len = 0;
	for (;;) {
		if (at >= m->len)
			return -EBADMSG;
		c = m->b[at];
		if ((c & 0xc0) == 0xc0) {
			if (at + 2 > m->len)
				return -EBADMSG;
			target = be16(m->b + at) & 0x3fffU;
			if (target >= floor)
				return -EBADMSG;
			if (!jumped)
				*ret_next = at + 2;
			jumped = true;
			floor = at = target;
			continue;
		}
		if (c > LABEL_MAX || at + 1 + c > m->len ||
		    ret->len + 1U + c > DNS_NAME_MAX)
			return -EBADMSG;
		memcpy(ret->b + ret->len, m->b + at, 1U + c);
		ret->len = (uint16_t)(ret->len + 1 + c);
		at += 1U + c;
		if (c == 0)
			break;
	}
	if (!jumped)
		*ret_next = at;
	return 0;
}

/* Lengths of labels are below 'A', so folding whole names is safe. */
static bool name_equal(const uint8_t *a, size_t alen, const uint8_t *b,
		       size_t blen)
{
	size_t i;

	if (alen != blen)
		return false;
	for (i = 0; i < alen; i++)
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	return true;
}

static int rr_read(const struct dns_msg *m, size_t *off, struct dns_rr *ret)
{
	size_t at;
	struct rcur c;

	if (name_read(m, *off, &ret->owner, &at) < 0)
		return -EBADMSG;
	rcur_init(&c, m->b + at, m->len - at);
	ret->type = rcur_u16_be(&c);
	ret->class = rcur_u16_be(&c);
	ret->ttl_s = rcur_u32_be(&c);
	ret->rdlen = rcur_u16_be(&c);
	ret->rdata = at + 10;
	rcur_skip(&c, ret->rdlen);
	if (c.failed)
		return -EBADMSG;
	if (ret->ttl_s > INT32_MAX) /* RFC 2181 section 8 */
		ret->ttl_s = 0;
	*off = ret->rdata + ret->rdlen;
	return 0;
}

/* Labels with dots between, no dot at the end but for the root. */
static void name_text(const struct dns_name *n, char *ret, size_t cap)
{
	size_t at = 0, out = 0;

	while (at < n->len && n->b[at] != 0 && out + n->b[at] + 2 < cap) {
		if (out)
			ret[out++] = '.';
		memcpy(ret + out, n->b + at + 1, n->b[at]);
		out += n->b[at];
		at += 1U + n->b[at];
	}
	if (out == 0)
		ret[out++] = '.';
	ret[out] = '\0';
}

/* The strings of a TXT record, joined. */
static int txt_text(const struct dns_msg *m, const struct dns_rr *rr, char *ret,
		    size_t cap)
{
	struct rcur c;
	const uint8_t *p;
	size_t out = 0;
	uint8_t n;

	rcur_init(&c, m->b + rr->rdata, rr->rdlen);
	while (c.left) {
		n = rcur_u8(&c);
		p = rcur_view(&c, n);
		if (c.failed || out + n >= cap)
			return -EBADMSG;
		memcpy(ret + out, p, n);
		out += n;
	}
	ret[out] = '\0';
	return 0;
}

/* The data of a record as its zone file would say it. -EBADMSG if damaged,
 * -ENOENT for a type that we have no text for. */
static int rdata_text(const struct dns_msg *m, const struct dns_rr *rr,
		      char *ret, size_t cap)
{
	size_t skip = rr->type == DNS_TYPE_MX ? 2 : 0, next;
	struct dns_name name;

	switch (rr->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (rr->rdlen != (rr->type == DNS_TYPE_A ? 4 : 16))
			return -EBADMSG;
		inet_ntop(rr->type == DNS_TYPE_A ? AF_INET : AF_INET6,
			  m->b + rr->rdata, ret, (socklen_t)cap);
		return 0;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_SOA: /* the first name: the primary server */
	case DNS_TYPE_MX:
		if (rr->rdlen <= skip ||
		    name_read(m, rr->rdata + skip, &name, &next) < 0 ||
		    next > rr->rdata + rr->rdlen)
			return -EBADMSG;
		name_text(&name, ret, cap);
		return 0;
	case DNS_TYPE_TXT:
		return txt_text(m, rr, ret, cap);
	default:
		return -ENOENT;
	}
}

/* Addresses in any spelling; names and texts without regard to case, names
 * also with a dot at their end. */
static bool text_matches(uint16_t type, const char *text, const char *want)
{
	uint8_t a[16], b[16];
	int family = type == DNS_TYPE_A ? AF_INET : AF_INET6;
	size_t n = strlen(text);

	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
		return inet_pton(family, text, a) == 1 &&
		       inet_pton(family, want, b) == 1 &&
		       memcmp(a, b, family == AF_INET ? 4 : 16) == 0;
	if (type == DNS_TYPE_TXT)
		return strcmp(text, want) == 0;
	return strncasecmp(text, want, n) == 0 &&
	       (want[n] == '\0' || strcmp(want + n, ".") == 0);
}

static int record_take(const struct dns_msg *m, const struct dns_rr *rr,
		       const char *want, struct dns_answer *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[TEXT_MAX];
	int r;

	r = rdata_text(m, rr, text, sizeof(text));
	if (r == -EBADMSG)
		return r;
	ret->records++;
	ret->ttl_s = MIN(ret->ttl_s, rr->ttl_s);
	if (r == 0 && *want && text_matches(rr->type, text, want))
		ret->has_wanted = true;
	if (ret->naddrs == DNS_ADDRS_MAX)
		return 0;
	if (rr->type == DNS_TYPE_A) {
		memcpy(ret->addrs[ret->naddrs], mapped, sizeof(mapped));
		memcpy(ret->addrs[ret->naddrs++] + 12, m->b + rr->rdata, 4);
	} else if (rr->type == DNS_TYPE_AAAA) {
		memcpy(ret->addrs[ret->naddrs++], m->b + rr->rdata, 16);
	}
	return 0;
}

/* One walk: servers put a CNAME before what it leads to, and one that does
 * not is answered as if its records were for another name. */
static int answers_read(const struct dns_msg *m, size_t off, uint16_t count,
			const struct dns_question *q, const char *want,
			struct dns_answer *ret)
{
	struct dns_name name;
	struct dns_rr rr;
	uint16_t i;
	size_t next;

	memcpy(name.b, q->name, q->name_len);
	name.len = q->name_len;
	ret->ttl_s = UINT32_MAX;
	for (i = 0; i < count && i < RECORDS_MAX; i++) {
		if (rr_read(m, &off, &rr) < 0)
			return ret->truncated ? 0 : -EBADMSG;
		if (rr.class != CLASS_IN ||
		    !name_equal(rr.owner.b, rr.owner.len, name.b, name.len))
			continue;
		if (rr.type == q->qtype) {
			if (record_take(m, &rr, want, ret) < 0)
				return -EBADMSG;
		} else if (rr.type == DNS_TYPE_CNAME) {
			if (name_read(m, rr.rdata, &name, &next) < 0)
				return -EBADMSG;
			ret->ttl_s = MIN(ret->ttl_s, rr.ttl_s);
		}
	}
	return 0;
}

int dns_answer_parse(const struct dns_question *q, const void *msg, size_t len,
		     const char *want, struct dns_answer *ret)
{
	const struct dns_msg m = { msg, len };
	struct dns_name name;
	uint16_t flags, questions, answers;
	size_t off;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (len < HEADER_LEN || be16(m.b) != q->id)
		return -ESTALE;
	flags = be16(m.b + 2);
	questions = be16(m.b + 4);
	answers = be16(m.b + 6);
	if (!(flags & FLAG_QR))
		return -ESTALE;
	ret->rcode = flags & 0xf;
	ret->truncated = flags & FLAG_TC;
	/* FORMERR, SERVFAIL, NOTIMP, REFUSED may come without the question. */
	if (questions == 0 && answers == 0 && ret->rcode != DNS_RCODE_NOERROR &&
	    ret->rcode != DNS_RCODE_NXDOMAIN)
		return 0;
	if (questions != 1)
		return -EBADMSG;
	if (name_read(&m, HEADER_LEN, &name, &off) < 0 || off + 4 > len)
		return -EBADMSG;
	if (!name_equal(name.b, name.len, q->name, q->name_len) ||
	    be16(m.b + off) != q->qtype || be16(m.b + off + 2) != CLASS_IN)
		return -ESTALE;
	r = answers_read(&m, off + 4, answers, q, want, ret);
	if (ret->ttl_s == UINT32_MAX)
		ret->ttl_s = 0;
	return r;
}
