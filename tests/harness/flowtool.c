/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows for tests and the demonstration: servers that say who is asking, a
 * stream that ticks, and clients that report what reached them.
 *
 *	flowtool serve PORT        TCP and UDP, both families, until killed
 *	flowtool tcp ADDR PORT     prints the address the server saw
 *	flowtool udp ADDR PORT     the same, by one datagram and its answer
 *	flowtool stream ADDR PORT SECONDS   prints the longest silence in ms
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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

struct address {
	struct sockaddr_storage ss;
	socklen_t len;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
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

static int dial(int type, const struct address *a)
{
	struct timeval tv = { .tv_sec = ANSWER_MS / 1000 };
	int fd = socket(a->ss.ss_family, type, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (const struct sockaddr *)&a->ss, a->len) < 0) {
		printf("no answer\n");
		exit(1);
	}
	return fd;
}

static int ask(int type, const struct address *a)
{
	char buf[128];
	int fd = dial(type, a);
	ssize_t n;

	if (type == SOCK_DGRAM && send(fd, "?", 1, 0) < 0)
		die("send");
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0) {
		printf("no answer\n");
		return 1;
	}
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	printf("%s\n", buf);
	return 0;
}

static int stream(const struct address *a, unsigned int seconds)
{
	uint64_t start = now_ms(), last = start, longest = 0, bytes = 0;
	char buf[4096];
	int fd = dial(SOCK_STREAM, a);

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

int main(int argc, char **argv)
{
	struct address a;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve((uint16_t)atoi(argv[2]));
	if (argc < 4 || parse(argv[2], argv[3], &a) < 0) {
		fprintf(stderr, "usage: flowtool serve PORT | tcp|udp ADDR "
				"PORT | stream ADDR PORT SECONDS\n");
		return 2;
	}
	if (strcmp(argv[1], "tcp") == 0)
		return ask(SOCK_STREAM, &a);
	if (strcmp(argv[1], "udp") == 0)
		return ask(SOCK_DGRAM, &a);
	if (strcmp(argv[1], "stream") == 0 && argc == 5)
		return stream(&a, (unsigned int)atoi(argv[4]));
	return 2;
}
