/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's socket table says of local engines, asked about sockets of
 * this test on the loopback interface. */
#include "supervisor/engines.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"

#define NA VERDICT_NOT_APPLICABLE
#define UP VERDICT_UP
#define DOWN VERDICT_DOWN

/* Bound to @addr and *port, which becomes what was free if it is 0. */
static int hear(int type, const char *addr, uint16_t *port, int v6only)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(*port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
				  .sin_port = htons(*port) };
	bool is_v6 = inet_pton(AF_INET6, addr, &a6.sin6_addr) == 1;
	struct sockaddr *sa = is_v6 ? (struct sockaddr *)&a6
				    : (struct sockaddr *)&a4;
	socklen_t len = is_v6 ? sizeof(a6) : sizeof(a4);
	int fd = socket(sa->sa_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (is_v6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					    &v6only, sizeof(v6only)),
				 0);
	else
		assert_int_equal(inet_pton(AF_INET, addr, &a4.sin_addr), 1);
	assert_int_equal(bind(fd, sa, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, sa, &len), 0);
	*port = ntohs(is_v6 ? a6.sin6_port : a4.sin_port);
	return fd;
}

static void expect(const char *addr, uint16_t port, unsigned int tcp4,
		   unsigned int tcp6, unsigned int udp4, unsigned int udp6)
{
	struct engine e = { .port = port };

	assert_int_equal(addr_parse(addr, &e.listener), 0);
	assert_int_equal(engines_look(&e, 1), 0);
	if (e.verdicts[CHECK_TCP4] != tcp4 || e.verdicts[CHECK_TCP6] != tcp6 ||
	    e.verdicts[CHECK_UDP4] != udp4 || e.verdicts[CHECK_UDP6] != udp6)
		fail_msg("%s: %d %d %d %d", addr, e.verdicts[CHECK_TCP4],
			 e.verdicts[CHECK_TCP6], e.verdicts[CHECK_UDP4],
			 e.verdicts[CHECK_UDP6]);
	assert_int_equal(e.verdicts[CHECK_QUIC4], VERDICT_UNKNOWN);
}

static void classes_are_apart(void **state)
{
	uint16_t port = 0;
	int tcp, udp;

	(void)state;
	tcp = hear(SOCK_STREAM, "127.0.0.1", &port, 0);
	expect("127.0.0.1", port, UP, NA, DOWN, NA);
	expect("0.0.0.0", port, UP, DOWN, DOWN, DOWN); /* loopback of both */
	expect("::1", port, NA, DOWN, NA, DOWN);
	expect("127.0.0.2", port, DOWN, NA, DOWN, NA);
	udp = hear(SOCK_DGRAM, "127.0.0.1", &port, 0);
	expect("127.0.0.1", port, UP, NA, UP, NA);
	close(tcp);
	expect("127.0.0.1", port, DOWN, NA, UP, NA);
	close(udp);
	expect("127.0.0.1", port, DOWN, NA, DOWN, NA);
}

static void wildcards(void **state)
{
	uint16_t port = 0, other = 0;
	int tcp, udp, only;

	(void)state;
	tcp = hear(SOCK_STREAM, "::", &port, 0);
	expect("127.0.0.1", port, UP, NA, DOWN, NA);
	expect("::", port, UP, UP, DOWN, DOWN);
	udp = hear(SOCK_DGRAM, "0.0.0.0", &port, 0);
	expect("::", port, UP, UP, UP, DOWN);
	only = hear(SOCK_STREAM, "::", &other, 1);
	expect("127.0.0.1", other, DOWN, NA, DOWN, NA);
	expect("::", other, DOWN, UP, DOWN, DOWN);
	close(only);
	other = 0;
	only = hear(SOCK_DGRAM, "::ffff:127.0.0.1", &other, 0);
	expect("::", other, DOWN, DOWN, UP, DOWN);
	close(only);
	close(tcp);
	close(udp);
}

/* A connected socket takes nobody else's datagrams. */
static void connected_ones_do_not_count(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	uint16_t port = 0;
	int fd;

	(void)state;
	fd = hear(SOCK_DGRAM, "127.0.0.1", &port, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	expect("127.0.0.1", port, DOWN, NA, DOWN, NA);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_apart),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(connected_ones_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
