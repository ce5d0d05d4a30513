/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns_peer [--log FILE]: a name server over UDP on 127.0.0.1 that answers
 * every question with one address; names that begin with "slow" after SLOW_MS.
 * Prints its port. The log has a line for each answer when it leaves: wall
 * clock in ns, and the first label asked for. It is whole after SIGTERM. For
 * tests and benchmarks alone.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"

#define PACKET_MAX 512
#define HEADER_LEN 12
#define SLOW_MS 100ULL
#define WAITING_MAX 4096 /* answers that wait for their time */
#define LABEL_MAX 63

static const uint8_t answer[] = {
	0xc0, HEADER_LEN,	/* the name of the question */
	0,    1,	  0, 1, /* A IN */
	0,    0,	  0, 60, 0, 4, 192, 0, 2, 1
};

struct packet {
	uint64_t due_ns;
	struct sockaddr_in to;
	size_t len;
	uint8_t b[PACKET_MAX];
};

struct peer {
	int fd;
	FILE *log;		/* or NULL */
	struct packet *waiting; /* a ring: they all wait equally long */
	size_t first, count;
};

static volatile sig_atomic_t is_over;

static void on_term(int sig DAE_UNUSED)
{
	is_over = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "dns_peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void send_answer(struct peer *s, const struct packet *p)
{
	if (sendto(s->fd, p->b, p->len, 0, (const void *)&p->to,
		   sizeof(p->to)) < 0)
		return; /* whoever asked is gone */
	if (s->log)
		fprintf(s->log, "%llu %.*s\n",
			(unsigned long long)clock_wall_ns(), p->b[HEADER_LEN],
			(const char *)p->b + HEADER_LEN + 1);
}

/* Turn the question, whose one name is not compressed, into its answer. */
static bool make_answer(struct packet *p)
{
	size_t at = HEADER_LEN;

	while (at < p->len && p->b[at] != 0 && p->b[at] <= LABEL_MAX)
		at += 1U + p->b[at];
	at += 5; /* the root, type, class */
	if (p->b[HEADER_LEN] == 0 || at > p->len ||
	    at + sizeof(answer) > sizeof(p->b))
		return false;
	p->b[2] = (uint8_t)(p->b[2] | 0x80);
	p->b[3] = 0x80;
	memset(p->b + 6, 0, 6);
	p->b[7] = 1;
	memcpy(p->b + at, answer, sizeof(answer));
	p->len = at + sizeof(answer);
	return true;
}

static void receive(struct peer *s)
{
	struct packet p = { .due_ns = 0 };
	socklen_t len = sizeof(p.to);
	ssize_t n = recvfrom(s->fd, p.b, sizeof(p.b), 0, (void *)&p.to, &len);

	if (n <= HEADER_LEN)
		return;
	p.len = (size_t)n;
	if (!make_answer(&p))
		return;
	if (p.b[HEADER_LEN] < 4 || memcmp(p.b + HEADER_LEN + 1, "slow", 4)) {
		send_answer(s, &p);
		return;
	}
	if (s->count == WAITING_MAX)
		return;
	p.due_ns = clock_mono_ns() + SLOW_MS * NS_PER_MS;
	s->waiting[(s->first + s->count++) % WAITING_MAX] = p;
}

/* Milliseconds until the next answer is due, -1: none waits. */
static int send_due(struct peer *s)
{
	while (s->count) {
		const struct packet *p = &s->waiting[s->first];
		uint64_t now_ns = clock_mono_ns();

		if (p->due_ns > now_ns)
			return (int)((p->due_ns - now_ns) / NS_PER_MS) + 1;
		send_answer(s, p);
		s->first = (s->first + 1) % WAITING_MAX;
		s->count--;
	}
	return -1;
}

static void open_socket(struct peer *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || bind(s->fd, (const void *)&a, sizeof(a)) < 0 ||
	    getsockname(s->fd, (void *)&a, &len) < 0)
		die("socket");
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct peer s = { .waiting = calloc(WAITING_MAX,
					    sizeof(struct packet)) };
	const struct sigaction term = { .sa_handler = on_term };
	struct pollfd pfd;

	if (!s.waiting || (argc != 1 && argc != 3))
		die("usage: dns_peer [--log FILE]");
	if (argc == 3)
		s.log = fopen(argv[2], "we");
	if (argc == 3 && !s.log)
		die(argv[2]);
	sigaction(SIGTERM, &term, NULL);
	open_socket(&s);
	pfd = (struct pollfd){ .fd = s.fd, .events = POLLIN };
	while (!is_over)
		if (poll(&pfd, 1, send_due(&s)) > 0)
			receive(&s);
	free(s.waiting);
	return s.log && fclose(s.log) != 0;
}
