/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image's reader refuses whatever could lead a lookup astray. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/rules/rules.h"
#include "tests/bpf/rulegen.h"

struct image {
	struct ruleset_header *h;
	size_t len;
};

static void seal(struct image *i)
{
	size_t from = offsetof(struct ruleset_header, checksum) + 8;

	i->h->checksum = ruleset_checksum((uint8_t *)i->h + from,
					  i->len - from);
}

static struct image make(void)
{
	static const uint16_t ids[RULEGEN_GROUPS];
	const struct rules_options opt = { ids, RULEGEN_GROUPS };
	struct rules_image img;
	struct rules_error err;
	struct rulegen g;

	rulegen_make(&g, RULEGEN_MIX, 100, 9);
	assert_int_equal(rules_compile(&g.routing, &opt, &img, &err), 0);
	rulegen_free(&g);
	return (struct image){ img.data, img.len };
}

static void *section(struct image *i, enum ruleset_section s)
{
	return (uint8_t *)i->h + i->h->sections[s].offset;
}

static int open_it(struct image *i)
{
	struct ruleset r;

	seal(i);
	return ruleset_open(i->h, i->len, &r);
}

static void a_sound_image_opens(void **state DAE_UNUSED)
{
	struct image i = make();

	assert_int_equal(open_it(&i), 0);
	free(i.h);
}

static void the_envelope_is_checked(void **state DAE_UNUSED)
{
	struct image i = make();
	struct ruleset r;

	((uint8_t *)i.h)[i.len - 1] ^= 1;
	assert_int_equal(ruleset_open(i.h, i.len, &r), -EBADMSG);
	((uint8_t *)i.h)[i.len - 1] ^= 1;
	assert_int_equal(ruleset_open(i.h, i.len - 8, &r), -EINVAL);
	assert_int_equal(ruleset_open(i.h, 16, &r), -EINVAL);
	assert_int_equal(ruleset_open(i.h, 0, &r), -EINVAL);
	i.h->version++;
	assert_int_equal(open_it(&i), -EPROTO);
	i.h->version--;
	i.h->magic ^= 1;
	assert_int_equal(open_it(&i), -EINVAL);
	free(i.h);
}

/* Change one 32-bit word of the image, expect a refusal, change it back. */
static void refuse(struct image *i, void *at, uint32_t bad)
{
	uint32_t old;

	memcpy(&old, at, sizeof(old));
	memcpy(at, &bad, sizeof(bad));
	if (open_it(i) != -EINVAL)
		fail_msg("accepted at offset %zu",
			 (size_t)((uint8_t *)at - (uint8_t *)i->h));
	memcpy(at, &old, sizeof(old));
	assert_int_equal(open_it(i), 0);
}

static void counts_and_offsets_are_checked(void **state DAE_UNUSED)
{
	struct image i = make();
	size_t s;

	for (s = 0; s < RULESET_SECTION_COUNT; s++) {
		refuse(&i, &i.h->sections[s].offset, (uint32_t)i.len + 8);
		refuse(&i, &i.h->sections[s].offset, 4);
		refuse(&i, &i.h->sections[s].offset, 1 << 20 | 1);
		refuse(&i, &i.h->sections[s].count, UINT32_MAX);
	}
	for (s = 0; s < DAE_DIM_COUNT; s++) {
		refuse(&i, &i.h->class_count[s], 0);
		refuse(&i, &i.h->class_count[s], DAE_CLASSES_MAX + 1);
		refuse(&i, &i.h->class_base[s], 1 << 30);
	}
	refuse(&i, &i.h->rule_count, DAE_RULES_MAX + 1);
	refuse(&i, &i.h->word_count, 0);
	refuse(&i, &i.h->word_count, DAE_BITMAP_WORDS + 1);
	refuse(&i, &i.h->word_count, 1); /* too few for 100 rules */
	refuse(&i, &i.h->mac_miss, DAE_CLASSES_MAX);
	refuse(&i, &i.h->domain_miss, 1);
	refuse(&i, &i.h->pname_miss, DAE_CLASSES_MAX);
	refuse(&i, &i.h->pname_shift, 0);
	refuse(&i, &i.h->pname_shift, i.h->pname_shift - 1);
	refuse(&i, &i.h->pname_shift, DAE_PNAME_SHIFT_MAX + 1);
	refuse(&i, &i.h->domain_sets, 0);
	refuse(&i, &i.h->domain_sets, DAE_DOMAIN_SETS_MAX + 1);
	refuse(&i, &i.h->used_dims, i.h->used_dims | 1U << DAE_DIM_COUNT);
	for (s = 0; s < DAE_DIM_COUNT; s++)
		refuse(&i, &i.h->used_dims, i.h->used_dims & ~(1U << s));
	free(i.h);
}

static void entries_are_checked(void **state DAE_UNUSED)
{
	static const enum ruleset_section roots[] = {
		RULESET_DST4, RULESET_SRC4, RULESET_DST6,
		RULESET_SRC6, RULESET_RUNS,
	};
	struct image i = make();
	uint32_t nodes = i.h->sections[RULESET_NODES].count;
	struct dae_trie_node *n = section(&i, RULESET_NODES);
	struct dae_rule *rules = section(&i, RULESET_RULES);
	struct dae_bitmap *b = section(&i, RULESET_BITMAPS);
	struct dae_bitmap *must = section(&i, RULESET_MUST_MASK);
	struct dae_mac *mac = section(&i, RULESET_MAC);
	struct dae_pname *name = section(&i, RULESET_PNAME);
	struct dae_domain *domain = section(&i, RULESET_DOMAINS);
	size_t k;

	for (k = 0; k < ARRAY_LEN(roots); k++) {
		refuse(&i, section(&i, roots[k]), DAE_CLASSES_MAX);
		refuse(&i, section(&i, roots[k]), DAE_ENTRY_CHILD | nodes);
	}
	assert_true(nodes > 0);
	refuse(&i, &n[0].base, UINT32_MAX);
	refuse(&i, &n[0].base, i.h->sections[RULESET_RUNS].count);
	refuse(&i, n[0].cum, 0x01020304);
	refuse(&i, n[0].bits, 0);
	refuse(&i, section(&i, RULESET_DPORT), UINT32_MAX);
	refuse(&i, section(&i, RULESET_SPORT), UINT32_MAX);
	refuse(&i, section(&i, RULESET_DSCP), UINT32_MAX);
	refuse(&i, &mac[5].class_id, DAE_CLASSES_MAX);
	refuse(&i, &mac[5].used, 2);
	refuse(&i, &name[7].class_id, DAE_CLASSES_MAX);
	refuse(&i, &name[7].used, 2);
	assert_true(i.h->sections[RULESET_DOMAINS].count > 0);
	refuse(&i, &domain[0].set, DAE_DOMAIN_SETS_MAX);
	refuse(&i, &domain[0].set, 0xffff0000U); /* the rule */
	refuse(&i, &domain[0].negate, 2);
	refuse(&i, &domain[0].negate, 0x100);
	refuse(&i, &domain[0].negate, !domain[0].negate); /* another miss */
	refuse(&i, &rules[3].group, 0x00ffffff);	  /* and its action */
	refuse(&i, &must->w[15], 1); /* no such rule is must_rules */
	refuse(&i, &b[0].w[15], 1);  /* a rule beyond the last one */
	free(i.h);
}

/* Any flipped byte is either refused or leaves lookups inside the image. */
static void damage_is_harmless(void **state DAE_UNUSED)
{
	struct image i = make();
	struct ruleset_verdict v;
	struct ruleset_query q;
	struct ruleset r;
	struct rulegen g = { .state = 11 };
	size_t at, k;
	uint8_t bit;

	for (k = 0; k < 400; k++) {
		at = k < 200 ? rulegen_random(&g, sizeof(*i.h))
			     : rulegen_random(&g, (uint32_t)i.len);
		bit = (uint8_t)(1U << rulegen_random(&g, 8));
		((uint8_t *)i.h)[at] ^= bit;
		seal(&i);
		if (ruleset_open(i.h, i.len, &r) == 0) {
			rulegen_query(&g, &q);
			assert_int_equal(ruleset_eval(&r, &q, &v), 0);
			assert_true(v.rule <= DAE_RULE_FALLBACK);
		}
		((uint8_t *)i.h)[at] ^= bit;
	}
	free(i.h);
}

static void queries_are_checked(void **state DAE_UNUSED)
{
	struct ruleset_query q = { .l4proto = IPPROTO_TCP };
	struct image i = make();
	struct ruleset_verdict v;
	struct ruleset r;

	assert_int_equal(ruleset_open(i.h, i.len, &r), 0);
	assert_int_equal(ruleset_eval(&r, &q, &v), -EINVAL);
	q.src.family = q.dst.family = 4;
	assert_int_equal(ruleset_eval(&r, &q, &v), 0);
	q.dst.family = 6;
	assert_int_equal(ruleset_eval(&r, &q, &v), -EINVAL);
	q.dst.family = 4;
	q.l4proto = IPPROTO_ICMP;
	assert_int_equal(ruleset_eval(&r, &q, &v), -EINVAL);
	free(i.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_image_opens),
		cmocka_unit_test(the_envelope_is_checked),
		cmocka_unit_test(counts_and_offsets_are_checked),
		cmocka_unit_test(entries_are_checked),
		cmocka_unit_test(damage_is_harmless),
		cmocka_unit_test(queries_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
