/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of learned addresses as the kernel reads it, by threads, while its
 * one writer replaces entries: a reader gets the class of the address it asked
 * for, or none.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/domain_write.h"

#define READERS 3
#define ROUNDS 2000000
#define ADDRS 16
/* Classes of an address, two in turn: the low bit says which. */
#define CLASS_OF(i) (100 + (i)*2)

static struct domain_line6 line6;
static struct domain_line4 line4;
static atomic_bool is_over;

struct reader {
	uint64_t seed;
	uint64_t hits, wrong, half;
};

/* Halves of two addresses make a third one. */
static void address(uint32_t i, __u64 *a)
{
	a[0] = 0x20010db8ULL << 32 | (i & 3);
	a[1] = 0xfeedULL << 32 | i >> 2;
}

static uint32_t address4(uint32_t i)
{
	return 0x0a000000 + i;
}

static uint32_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695;
	return (uint32_t)(*seed >> 40);
}

static void *read_on(void *arg)
{
	struct reader *me = arg;
	uint32_t i, got;
	bool spilled;
	__u64 a[2];

	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		i = next(&me->seed) % ADDRS;
		if (next(&me->seed) & 1) {
			address(i, a);
			got = domain_find6(&line6, a, &spilled);
		} else {
			got = domain_find4(&line4, address4(i), &spilled);
		}
		me->hits += got != DOMAIN_NONE;
		me->wrong += got != DOMAIN_NONE &&
			     (got & ~1U) != (uint32_t)CLASS_OF(i);
	}
	return NULL;
}

/* Put, change and take out at random ways. */
static void write_on(uint64_t seed)
{
	static uint32_t in6[DOMAIN_WAYS6], in4[DOMAIN_WAYS4];
	uint32_t n, i, way;
	__u64 a[2];

	memset(in6, 0xff, sizeof(in6));
	memset(in4, 0xff, sizeof(in4));
	for (n = 0; n < ROUNDS; n++) {
		i = next(&seed) % ADDRS;
		way = next(&seed) % DOMAIN_WAYS6;
		if (in6[way] == i) {
			domain_change6(&line6.e[way], CLASS_OF(i) | (n & 1));
		} else if (next(&seed) % 4 == 0) {
			domain_remove6(&line6.e[way]);
			in6[way] = UINT32_MAX;
		} else {
			address(i, a);
			domain_write6(&line6.e[way], a, CLASS_OF(i));
			in6[way] = i;
		}
		way = next(&seed) % DOMAIN_WAYS4;
		domain_write4(&line4, (int)way,
			      next(&seed) % 4 ? address4(i) : 0, CLASS_OF(i));
	}
}

static void readers_get_their_own(void **state DAE_UNUSED)
{
	struct reader readers[READERS] = { 0 };
	pthread_t threads[READERS];
	int i;

	for (i = 0; i < READERS; i++) {
		readers[i].seed = (uint64_t)i * 7919 + 1;
		assert_int_equal(pthread_create(&threads[i], NULL, read_on,
						&readers[i]),
				 0);
	}
	write_on(99);
	atomic_store(&is_over, true);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < READERS; i++) {
		assert_int_equal(readers[i].wrong, 0);
		assert_true(readers[i].hits > 1000);
	}
}

/* What the test above is there to find: a writer without the protocol. */
static void a_half_entry_is_not_read(void **state DAE_UNUSED)
{
	struct domain_entry6 e = { 0 };
	__u64 a[2], b[2], mixed[2];

	address(1, a);
	address(6, b);
	domain_write6(&e, a, 7);
	assert_int_equal(domain_read6(&e, a), 7);
	domain_remove6(&e);
	assert_int_equal(domain_read6(&e, a), DOMAIN_NONE);
	e.addr[0] = b[0]; /* between the two halves */
	mixed[0] = b[0];
	mixed[1] = a[1];
	assert_int_equal(domain_read6(&e, mixed), DOMAIN_NONE);
	domain_write6(&e, b, 8);
	assert_int_equal(domain_read6(&e, a), DOMAIN_NONE);
	assert_int_equal(domain_read6(&e, mixed), DOMAIN_NONE);
	assert_int_equal(domain_read6(&e, b), 8);
	domain_change6(&e, 9);
	assert_int_equal(domain_read6(&e, b), 9);
}

static void the_spill_bit_stays(void **state DAE_UNUSED)
{
	struct domain_line4 line = { { 0 } };
	bool spilled = false;

	line.e[0] = DOMAIN_SPILLED;
	domain_write4(&line, 0, 5, 0xffff);
	assert_int_equal(domain_find4(&line, 5, &spilled), 0xffff);
	assert_true(line.e[0] & DOMAIN_SPILLED);
	domain_write4(&line, 0, 0, 0);
	assert_true(line.e[0] == DOMAIN_SPILLED);
	assert_int_equal(domain_find4(&line, 5, &spilled), DOMAIN_NONE);
	assert_true(spilled);
}

static void the_other_line_is_another(void **state DAE_UNUSED)
{
	const __u64 seed[2] = { 0x1234567, 0xabcdef };
	uint32_t i, at[16] = { 0 };
	uint64_t hash;

	for (i = 0; i < 4096; i++) {
		hash = domain_hash4(address4(i), seed);
		assert_int_not_equal(domain_line(hash, 15),
				     domain_other_line(hash, 15));
		at[domain_line(hash, 15)]++;
	}
	for (i = 0; i < 16; i++)
		assert_in_range(at[i], 150, 370); /* 256 on average */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_get_their_own),
		cmocka_unit_test(a_half_entry_is_not_read),
		cmocka_unit_test(the_spill_bit_stays),
		cmocka_unit_test(the_other_line_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
