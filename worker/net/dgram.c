/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/dgram.h"

#include <string.h>

#include <sys/uio.h>

#include "common/base.h"
#include "common/wire.h"

#define DROPS_MAX 32 /* bad datagrams in a row, in one turn */

/* writev() and not sendmsg(): the sandbox keeps the latter for the channel. */
int dgram_send(struct dgram *d, const void *buf, size_t len)
{
	struct iovec iov[2] = {
		{ d->head, d->head_len },
		{ (void *)buf, len },
	};
	ssize_t n;

	if (len > DGRAM_MAX)
		return -EMSGSIZE;
	if (d->head_len)
		n = writev(d->fd, iov, 2);
	else
		n = send(d->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	*d->tx += (uint32_t)len;
	return 0;
}

/* Length of a SOCKS5 UDP header in front of a datagram, or -EBADMSG. */
static ssize_t head_length(const uint8_t *buf, size_t len)
{
	struct rcur c;
	uint16_t reserved;
	uint8_t frag;

	rcur_init(&c, buf, len);
	reserved = rcur_u16_be(&c);
	frag = rcur_u8(&c);
	switch (rcur_u8(&c)) {
	case 1:
		rcur_skip(&c, 4);
		break;
	case 3:
		rcur_skip(&c, rcur_u8(&c));
		break;
	case 4:
		rcur_skip(&c, 16);
		break;
	default:
		return -EBADMSG;
	}
	rcur_skip(&c, 2);
	if (c.failed || reserved != 0 || frag != 0)
		return -EBADMSG;
	return (ssize_t)(len - c.left);
}

static ssize_t receive(struct dgram *d, void *buf, size_t cap)
{
	ssize_t n = recv(d->fd, buf, cap, MSG_DONTWAIT);

	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return n;
}

/* What of @raw is payload goes to @buf. Its length, or -EBADMSG. */
static ssize_t unwrap(const uint8_t *raw, size_t len, void *buf, size_t cap)
{
	ssize_t head = head_length(raw, len);
	size_t payload;

	if (head < 0)
		return head;
	payload = len - (size_t)head;
	if (payload > cap)
		return -EBADMSG;
	memcpy(buf, raw + head, payload);
	return (ssize_t)payload;
}

/* A bad datagram is dropped as if it had not come; the next may be good. A
 * flood of them is left for the next turn of the loop. */
ssize_t dgram_recv(struct dgram *d, void *buf, size_t cap)
{
	uint8_t raw[DGRAM_HEAD_MAX + DGRAM_MAX];
	ssize_t n;
	int i;

	if (!d->head_len) {
		n = receive(d, buf, cap);
		if (n > 0)
			*d->rx += (uint32_t)n;
		return n;
	}
	for (i = 0; i < DROPS_MAX; i++) {
		n = receive(d, raw, sizeof(raw));
		if (n < 0)
			return n;
		n = unwrap(raw, (size_t)n, buf, cap);
		if (n < 0)
			continue;
		*d->rx += (uint32_t)n;
		return n;
	}
	return -EAGAIN;
}
