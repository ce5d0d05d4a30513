/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows for tests and the demonstration: servers that say who is asking, a
 * stream that ticks, and clients that report what reached them.
 *
 *	flowtool serve PORT        TCP and UDP, both families, until killed
 *	flowtool tcp ADDR PORT [KEY=N]...   prints the address the server saw
 *	flowtool udp ADDR PORT [KEY=N]...   the same, by a datagram, its answer
 *	flowtool stream ADDR PORT SECONDS   prints the longest silence in ms
 *	flowtool watch tcp|udp ADDR PORT SECONDS   new flows without a pause;
 *		prints the wall clock in ms and the answer when it changes
 *
 * Keys: sport, dscp, size (of the datagram in bytes), wait (in ms).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 10
#define CLIENTS_MAX 64
#define ANSWER_MS 3000
#define WATCH_ANSWER_MS 100
#define WATCH_GAP_US 2000
#define SIZE_MAX_BYTES 9000

struct address {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* What a client's flow is like, by its keys. */
struct flow {
	unsigned long sport;
	unsigned long dscp;
	unsigned long size;
	unsigned long wait;
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flowtool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int parse(const char *host, const char *port, struct address *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->ss;
	uint16_t p = htons((uint16_t)atoi(port));

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = p;
		ret->len = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return -1;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = p;
	ret->len = sizeof(*in6);
	return 0;
}

/* The peer's address as text, IPv4 without its mapping. */
static const char *name_of(const struct sockaddr_storage *ss, char *buf)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], buf,
				 INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &in6->sin6_addr, buf, INET6_ADDRSTRLEN);
}

static int listener(int type, uint16_t port)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type, 0), on = 1, off = 0;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 64) < 0)
		die("listen");
	return fd;
}

/* Answer from the very address that was asked: many are ours. */
static void answer_datagram(int fd)
{
	char buf[512], text[INET6_ADDRSTRLEN + 1] = "", control[256];
	struct sockaddr_storage from;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, MSG_DONTWAIT) < 0)
		return;
	name_of(&from, text);
	iov.iov_base = text;
	iov.iov_len = strlen(text);
	sendmsg(fd, &m, 0); /* the packet info goes back as it came */
}

static int greet(int listen_fd)
{
	char text[INET6_ADDRSTRLEN + 1] = "";
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd = accept(listen_fd, (struct sockaddr *)&from, &len);

	if (fd < 0)
		return -1;
	name_of(&from, text);
	strcat(text, "\n");
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static _Noreturn void serve(uint16_t port)
{
	struct pollfd p[2] = { { listener(SOCK_STREAM, port), POLLIN, 0 },
			       { listener(SOCK_DGRAM, port), POLLIN, 0 } };
	int clients[CLIENTS_MAX], count = 0;

	for (;;) {
		if (poll(p, 2, TICK_MS) < 0)
			die("poll");
		if (p[1].revents)
			answer_datagram(p[1].fd);
		if (p[0].revents && count < CLIENTS_MAX) {
			clients[count] = greet(p[0].fd);
			count += clients[count] >= 0;
		}
		for (int i = 0; i < count; i++) {
			if (send(clients[i], ".", 1,
				 MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ||
			    errno == EAGAIN)
				continue;
			close(clients[i]);
			clients[i--] = clients[--count];
		}
	}
}

static int from_port(int fd, int family, unsigned long port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)port) };
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&in, sizeof(in));
	return bind(fd, (struct sockaddr *)&in6, sizeof(in6));
}

/* A connected socket, or -1 if nobody is there. */
static int dial(int type, const struct address *a, const struct flow *f)
{
	struct timeval tv = { .tv_sec = (time_t)(f->wait / 1000),
			      .tv_usec = (suseconds_t)(f->wait % 1000 * 1000) };
	int fd = socket(a->ss.ss_family, type, 0), tos = (int)(f->dscp << 2);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (tos && a->ss.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else if (tos)
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	if (f->sport && from_port(fd, a->ss.ss_family, f->sport) < 0)
		die("bind");
	if (connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Asks who the far side sees; false: no answer. */
static bool ask(int type, const struct address *a, const struct flow *f,
		char ret[128])
{
	static const char question[SIZE_MAX_BYTES] = "?";
	int fd = dial(type, a, f);
	ssize_t n = -1;

	if (fd >= 0 &&
	    (type == SOCK_STREAM || send(fd, question, f->size, 0) > 0))
		n = recv(fd, ret, 127, 0);
	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		strcpy(ret, "no answer");
		return false;
	}
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static int ask_once(int type, const struct address *a, const struct flow *f)
{
	char answer[128];
	bool ok = ask(type, a, f, answer);

	printf("%s\n", answer);
	return !ok;
}

static int watch(int type, const struct address *a, unsigned int seconds)
{
	struct flow f = { .size = 1, .wait = WATCH_ANSWER_MS };
	uint64_t end = now_ms() + seconds * 1000ULL;
	char answer[128], last[128] = "";

	while (now_ms() < end) {
		uint64_t began = clock_ms(CLOCK_REALTIME);

		ask(type, a, &f, answer);
		if (strcmp(answer, last) != 0)
			printf("%llu %s\n", (unsigned long long)began, answer);
		strcpy(last, answer);
		usleep(WATCH_GAP_US);
	}
	return 0;
}

static int stream(const struct address *a, unsigned int seconds)
{
	uint64_t start = now_ms(), last = start, longest = 0, bytes = 0;
	struct flow f = { .wait = ANSWER_MS };
	char buf[4096];
	int fd = dial(SOCK_STREAM, a, &f);

	if (fd < 0) {
		printf("no answer\n");
		return 1;
	}
	while (now_ms() - start < seconds * 1000ULL) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		uint64_t t = now_ms();

		if (n <= 0) {
			printf("broken after %llu ms\n",
			       (unsigned long long)(t - start));
			return 1;
		}
		bytes += (uint64_t)n;
		if (t - last > longest)
			longest = t - last;
		last = t;
	}
	printf("longest silence %llu ms, %llu bytes\n",
	       (unsigned long long)longest, (unsigned long long)bytes);
	return 0;
}

static int read_keys(struct flow *f, char **args, int count)
{
	*f = (struct flow){ .size = 1, .wait = ANSWER_MS };
	for (int i = 0; i < count; i++)
		if (sscanf(args[i], "sport=%lu", &f->sport) != 1 &&
		    sscanf(args[i], "dscp=%lu", &f->dscp) != 1 &&
		    sscanf(args[i], "size=%lu", &f->size) != 1 &&
		    sscanf(args[i], "wait=%lu", &f->wait) != 1)
			return -1;
	return f->size > SIZE_MAX_BYTES || f->sport > UINT16_MAX ? -1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: flowtool serve PORT | tcp|udp ADDR PORT "
			"[KEY=N]... | stream ADDR PORT SECONDS | "
			"watch tcp|udp ADDR PORT SECONDS\n");
	return 2;
}

static int type_of(const char *name)
{
	if (strcmp(name, "tcp") == 0)
		return SOCK_STREAM;
	return strcmp(name, "udp") == 0 ? SOCK_DGRAM : -1;
}

int main(int argc, char **argv)
{
	struct address a;
	struct flow f;
	int type;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve((uint16_t)atoi(argv[2]));
	if (argc == 6 && strcmp(argv[1], "watch") == 0) {
		type = type_of(argv[2]);
		if (type < 0 || parse(argv[3], argv[4], &a) < 0)
			return usage();
		return watch(type, &a, (unsigned int)atoi(argv[5]));
	}
	if (argc < 4 || parse(argv[2], argv[3], &a) < 0)
		return usage();
	if (strcmp(argv[1], "stream") == 0 && argc == 5)
		return stream(&a, (unsigned int)atoi(argv[4]));
	type = type_of(argv[1]);
	if (type < 0 || read_keys(&f, argv + 4, argc - 4) < 0)
		return usage();
	return ask_once(type, &a, &f);
}
