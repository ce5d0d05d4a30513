/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/dgram.h"

#include <string.h>

#include <sys/uio.h>

#include "common/base.h"
#include "common/wire.h"

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

/* A bad datagram is dropped as if it had not come; the next may be good. */
ssize_t dgram_recv(struct dgram *d, void *buf, size_t cap)
{
	uint8_t raw[DGRAM_HEAD_MAX + DGRAM_MAX];
	ssize_t n, head;
	size_t payload;

	if (!d->head_len) {
		n = recv(d->fd, buf, cap, MSG_DONTWAIT);
		if (n < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		*d->rx += (uint32_t)n;
		return n;
	}
	for (;;) {
		n = recv(d->fd, raw, sizeof(raw), MSG_DONTWAIT);
		if (n < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		head = head_length(raw, (size_t)n);
		if (head < 0)
			continue;
		payload = (size_t)(n - head);
		if (payload > cap)
			continue;
		memcpy(buf, raw + head, payload);
		*d->rx += (uint32_t)payload;
		return (ssize_t)payload;
	}
}
