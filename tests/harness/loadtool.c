/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load with a ledger: what was sent, what came, once or twice, from where.
 *
 *	loadtool sink PORT    UDP and TCP, both families; a report when killed
 *	loadtool blast ADDR PORT SECONDS STREAM RATE FRESH   numbered datagrams
 *		of 64 bytes, RATE a second (0: as fast as they go), from another
 *		socket after each FRESH of them (0: never)
 *	loadtool dial ADDR PORT SECONDS GAP WANT   new connections, one after the
 *		other with a pause of GAP microseconds; the sink must see them
 *		come from WANT (-: anywhere)
 *	loadtool bulk ADDR PORT SECONDS   one connection, as much as it takes
 *	loadtool long ADDR PORT SECONDS   one connection, 2 MB/s there and back,
 *		each byte compared
 *
 * Each ends early on SIGTERM and prints "name value" pairs on a line. A datagram that the receiver's own
 * queue had no room for is told apart: the kernel counts them (SO_MEMINFO).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#define BATCH 32
#define STREAMS 16
#define SEQUENCES (1UL << 28) /* bits of a stream's bitmap, touched as used */
#define SOURCES 8
#define BUFFER (32 << 20)
#define MAGIC 0x6461656c6f616421ULL
#define SLOW_NS 900000000ULL
#define LIMIT_MS 5000
#define BLOCK 4096
#define BLOCKS_A_SECOND 512

struct datagram {
	uint64_t magic, stream, sequence, fill[5];
};

struct stream {
	uint64_t received, duplicates;
	uint8_t *seen;
	struct source {
		struct in6_addr from;
		uint64_t count;
	} sources[SOURCES];
};

static struct stream streams[STREAMS];
static volatile sig_atomic_t is_over;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "loadtool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t parse(const char *host, const char *port,
		       struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	in->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		die(host);
	in6->sin6_family = AF_INET6;
	return sizeof(*in6);
}

static const char *name_of(const struct in6_addr *a, char *buf)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return inet_ntop(AF_INET, &a->s6_addr[12], buf,
				 INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, a, buf, INET6_ADDRSTRLEN);
}

/* Whether something that began at @start and takes @seconds is over. */
static bool is_done(uint64_t start, uint64_t seconds)
{
	return is_over || now_ns() - start >= seconds * 1000000000ULL;
}

/* --- the far side --- */

static int listener(int type, uint16_t port)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type, 0), on = 1, off = 0, size = BUFFER;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 4096) < 0)
		die("listen");
	return fd;
}

static void note_source(struct stream *s, const struct in6_addr *from)
{
	struct source *e;
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		e = &s->sources[i];
		if (e->count && memcmp(&e->from, from, sizeof(*from)) != 0)
			continue;
		e->from = *from;
		e->count++;
		return;
	}
}

static void note_datagram(const struct datagram *d, size_t len,
			  const struct in6_addr *from)
{
	struct stream *s;
	uint8_t *byte, bit;

	if (len != sizeof(*d) || d->magic != MAGIC || d->stream >= STREAMS ||
	    d->sequence >= SEQUENCES)
		return;
	s = &streams[d->stream];
	if (!s->seen) {
		s->seen = mmap(NULL, SEQUENCES / 8, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);
		if (s->seen == MAP_FAILED)
			die("mmap");
	}
	byte = &s->seen[d->sequence / 8];
	bit = (uint8_t)(1 << d->sequence % 8);
	if (*byte & bit)
		s->duplicates++;
	else
		s->received++;
	*byte |= bit;
	note_source(s, from);
}

static void receive(int fd)
{
	static struct datagram d[BATCH];
	static struct sockaddr_in6 from[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH];
	int n, i;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ &d[i], sizeof(d[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						.msg_namelen = sizeof(from[i]),
						.msg_iov = &iov[i],
						.msg_iovlen = 1 };
	}
	n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
	for (i = 0; i < n; i++)
		note_datagram(&d[i], m[i].msg_len, &from[i].sin6_addr);
}

/* One connection: 'h' is answered with the address it came from, 'd' by all
 * that follows, 'b' by nothing. */
static void *converse(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char text[INET6_ADDRSTRLEN + 1], buf[BLOCK];
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);
	ssize_t n;

	buf[0] = '\0';
	if (recv(fd, buf, 1, 0) == 1 && buf[0] == 'h' &&
	    getpeername(fd, (struct sockaddr *)&peer, &len) == 0) {
		name_of(&peer.sin6_addr, text);
		send(fd, text, strlen(text), MSG_NOSIGNAL);
	} else if (buf[0] == 'd') {
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
				break;
	} else if (buf[0] == 'b') {
		while (recv(fd, NULL, 1 << 20, MSG_TRUNC) > 0)
			;
	}
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	int listen_fd = (int)(intptr_t)arg, fd;
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (;;) {
		fd = accept(listen_fd, NULL, NULL);
		if (fd >= 0 && pthread_create(&t, &attr, converse,
					      (void *)(intptr_t)fd) != 0)
			close(fd);
	}
	return NULL;
}

static void report(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(memory);
	char text[INET6_ADDRSTRLEN];
	struct stream *s;
	size_t i, k;

	for (i = 0; i < STREAMS; i++) {
		s = &streams[i];
		if (!s->received)
			continue;
		printf("stream %zu received %llu duplicates %llu", i,
		       (unsigned long long)s->received,
		       (unsigned long long)s->duplicates);
		for (k = 0; k < SOURCES && s->sources[k].count; k++)
			printf(" from %s %llu",
			       name_of(&s->sources[k].from, text),
			       (unsigned long long)s->sources[k].count);
		printf("\n");
	}
	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len);
	printf("overflow %u\n", memory[SK_MEMINFO_DROPS]);
}

static void on_signal(int sig)
{
	(void)sig;
	is_over = 1;
}

static int sink(uint16_t port)
{
	struct pollfd p = { .fd = listener(SOCK_DGRAM, port),
			    .events = POLLIN };
	pthread_t t;

	if (pthread_create(&t, NULL, accept_all,
			   (void *)(intptr_t)listener(SOCK_STREAM, port)) != 0)
		die("thread");
	printf("ready\n");
	while (!is_over)
		if (poll(&p, 1, 100) > 0)
			receive(p.fd);
	while (poll(&p, 1, 0) > 0)
		receive(p.fd);
	report(p.fd);
	return 0;
}

/* --- the near side --- */

static int connected(const struct sockaddr_storage *to, socklen_t len, int type)
{
	struct timeval tv = { .tv_sec = LIMIT_MS / 1000 };
	int fd = socket(to->ss_family, type, 0), size = 1 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (connect(fd, (const struct sockaddr *)to, len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* How many datagrams are due at @ns after the start. */
static uint64_t due(uint64_t ns, uint64_t rate, uint64_t sent)
{
	uint64_t all;

	if (!rate)
		return BATCH;
	all = ns / 1000 * rate / 1000000;
	return all > sent ? all - sent : 0;
}

static int blast(const struct sockaddr_storage *to, socklen_t len,
		 uint64_t seconds, uint64_t number, const uint64_t *how)
{
	uint64_t start = now_ns(), sent = 0, of_socket = 0, errors = 0, n, i;
	int fd = connected(to, len, SOCK_DGRAM), r;
	struct datagram d[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH];

	memset(d, 0, sizeof(d));
	memset(m, 0, sizeof(m));
	while (!is_done(start, seconds)) {
		n = due(now_ns() - start, how[0], sent);
		if (!n)
			usleep(50);
		if (n > BATCH)
			n = BATCH;
		for (i = 0; i < n; i++) {
			d[i].magic = MAGIC;
			d[i].stream = number;
			d[i].sequence = sent + i;
			iov[i] = (struct iovec){ &d[i], sizeof(d[i]) };
			m[i].msg_hdr.msg_iov = &iov[i];
			m[i].msg_hdr.msg_iovlen = 1;
		}
		r = n ? sendmmsg(fd, m, (unsigned int)n, 0) : 0;
		errors += r < 0;
		sent += r > 0 ? (uint64_t)r : 0;
		of_socket += n;
		if (how[1] && of_socket >= how[1]) {
			close(fd);
			fd = connected(to, len, SOCK_DGRAM);
			of_socket = 0;
		}
	}
	printf("sent %llu errors %llu ns %llu\n", (unsigned long long)sent,
	       (unsigned long long)errors,
	       (unsigned long long)(now_ns() - start));
	return 0;
}

static int dial(const struct sockaddr_storage *to, socklen_t len,
		uint64_t seconds, unsigned int gap_us, const char *want)
{
	uint64_t start = now_ns(), ok = 0, refused = 0, closed = 0, astray = 0;
	uint64_t slow = 0, t;
	struct linger reset = { 1, 0 };
	char answer[64];
	ssize_t n;
	int fd;

	while (!is_done(start, seconds)) {
		t = now_ns();
		fd = connected(to, len, SOCK_STREAM);
		n = -1;
		if (fd >= 0 && send(fd, "h", 1, MSG_NOSIGNAL) == 1)
			n = recv(fd, answer, sizeof(answer) - 1, 0);
		answer[n > 0 ? n : 0] = '\0';
		if (is_over) /* a call that was interrupted says nothing */
			break;
		if (fd < 0)
			refused++;
		else if (n <= 0)
			closed++;
		else if (want[0] != '-' && strcmp(answer, want) != 0)
			astray++;
		else
			ok++;
		slow += now_ns() - t > SLOW_NS;
		if (fd < 0)
			continue;
		/* no port is left waiting: there are not that many */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		if (gap_us)
			usleep(gap_us);
	}
	printf("ok %llu failed %llu refused %llu astray %llu slow %llu\n",
	       (unsigned long long)ok, (unsigned long long)(refused + closed),
	       (unsigned long long)refused, (unsigned long long)astray,
	       (unsigned long long)slow);
	return 0;
}

static int bulk(const struct sockaddr_storage *to, socklen_t len,
		uint64_t seconds)
{
	static char block[128 << 10] = "b";
	int fd = connected(to, len, SOCK_STREAM);
	uint64_t start = now_ns(), bytes = 0;
	ssize_t n = fd >= 0 ? 1 : -1;

	while (n > 0 && !is_done(start, seconds)) {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		bytes += n > 0 ? (uint64_t)n : 0;
	}
	printf("broken %d bytes %llu ns %llu\n", n <= 0 && !is_over,
	       (unsigned long long)bytes,
	       (unsigned long long)(now_ns() - start));
	return n <= 0 && !is_over;
}

static bool exchange(int fd, uint32_t number)
{
	uint32_t out[BLOCK / 4], in[BLOCK / 4], x = number * 2654435761U + 1;
	size_t i;

	for (i = 0; i < BLOCK / 4; i++)
		out[i] = x = x * 1664525U + 1013904223U;
	return send(fd, out, sizeof(out), MSG_NOSIGNAL) == sizeof(out) &&
	       recv(fd, in, sizeof(in), MSG_WAITALL) == sizeof(in) &&
	       memcmp(in, out, sizeof(in)) == 0;
}

static int converse_long(const struct sockaddr_storage *to, socklen_t len,
			 uint64_t seconds)
{
	uint64_t start = now_ns(), longest = 0, t, due_ns;
	int fd = connected(to, len, SOCK_STREAM), ok;
	uint32_t blocks = 0;

	ok = fd >= 0 && send(fd, "d", 1, MSG_NOSIGNAL) == 1;
	while (ok && !is_done(start, seconds)) {
		t = now_ns();
		ok = exchange(fd, blocks);
		if (is_over) {
			ok = 1;
			break;
		}
		blocks += (uint32_t)ok;
		if (now_ns() - t > longest)
			longest = now_ns() - t;
		due_ns = start + blocks * (1000000000ULL / BLOCKS_A_SECOND);
		if (due_ns > now_ns())
			usleep((useconds_t)((due_ns - now_ns()) / 1000));
	}
	printf("broken %d blocks %u longest_ms %llu\n", !ok, blocks,
	       (unsigned long long)(longest / 1000000));
	return !ok;
}

static int usage(void)
{
	fprintf(stderr, "usage: loadtool sink PORT | "
			"blast ADDR PORT SECONDS STREAM RATE FRESH | "
			"dial ADDR PORT SECONDS GAP WANT | "
			"bulk ADDR PORT SECONDS | "
			"long ADDR PORT SECONDS\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	struct sigaction sa = { .sa_handler = on_signal };
	uint64_t seconds, how[2];
	socklen_t len;

	sigaction(SIGTERM, &sa, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink((uint16_t)atoi(argv[2]));
	if (argc < 5)
		return usage();
	len = parse(argv[2], argv[3], &to);
	seconds = strtoull(argv[4], NULL, 10);
	if (argc == 8 && strcmp(argv[1], "blast") == 0) {
		how[0] = strtoull(argv[6], NULL, 10);
		how[1] = strtoull(argv[7], NULL, 10);
		return blast(&to, len, seconds, strtoull(argv[5], NULL, 10),
			     how);
	}
	if (argc == 7 && strcmp(argv[1], "dial") == 0)
		return dial(&to, len, seconds, (unsigned int)atoi(argv[5]),
			    argv[6]);
	if (argc == 5 && strcmp(argv[1], "bulk") == 0)
		return bulk(&to, len, seconds);
	if (argc == 5 && strcmp(argv[1], "long") == 0)
		return converse_long(&to, len, seconds);
	return usage();
}
