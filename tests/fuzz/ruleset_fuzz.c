/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule image's reader and its twin. An image is 1.5 MB, mostly tables that
 * follow from little, so the input is a list of changes to a sound image made
 * of two rules: offset, length, bytes; then a query.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct rules_image sound;

static void make_sound(void)
{
	struct rule_value net = { .prefix = { { .family = 4 }, 28 } };
	struct rule_value v6 = { .prefix = { { .family = 6 }, 61 } };
	char curl[] = "curl", suffix[] = "example.org";
	struct rule_value name = { .text = curl };
	struct rule_value domain = { .key = RULE_KEY_SUFFIX, .text = suffix };
	struct rule_cond conds[] = {
		{ .fn = RULE_PNAME, .values = &name, .value_count = 1 },
		{ .fn = RULE_DOMAIN, .values = &domain, .value_count = 1 },
		{ .fn = RULE_DIP, .values = &net, .value_count = 1 },
		{ .fn = RULE_SIP, .values = &v6, .value_count = 1 },
	};
	struct config_rule rules[] = {
		{ .conds = &conds[0],
		  .cond_count = 3,
		  .out = { .action = RULE_BLOCK } },
		{ .conds = &conds[3],
		  .cond_count = 1,
		  .out = { .action = RULE_MUST_RULES } },
	};
	struct config_routing routing = { .rules = rules, .rule_count = 2 };
	struct rules_options opt = { 0 };
	struct rules_error err;

	net.prefix.addr.b[10] = net.prefix.addr.b[11] = 0xff;
	if (rules_compile(&routing, &opt, &sound, &err) < 0)
		abort();
}

/* One change; the number of bytes it took from the input. */
static size_t change(uint8_t *img, size_t size, const uint8_t *p, size_t left)
{
	uint32_t at;
	size_t n;

	if (left < 5)
		return left;
	memcpy(&at, p, sizeof(at));
	n = p[4] % 16;
	n = n < left - 5 ? n : left - 5;
	at %= (uint32_t)size;
	n = n < size - at ? n : size - at;
	memcpy(img + at, p + 5, n);
	return 5 + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t from = offsetof(struct ruleset_header, checksum) + 8, at;
	auto_free uint8_t *img = NULL;
	struct ruleset_header *h;
	struct ruleset_verdict v;
	struct ruleset_query q;
	struct dae_bitmap sets = { { 0 } };
	struct ruleset r;

	if (!sound.data)
		make_sound();
	if (len < sizeof(q))
		return 0;
	memcpy(&q, data, sizeof(q));
	memcpy(&sets, q.mac, sizeof(q.mac)); /* any bytes do */
	q.domain_sets = q.dscp & 1 ? &sets : NULL;
	data += sizeof(q);
	len -= sizeof(q);
	img = malloc(sound.len);
	if (!img)
		return 0;
	memcpy(img, sound.data, sound.len);
	for (at = 0; at < len;)
		at += change(img, sound.len, data + at, len - at);
	h = (struct ruleset_header *)img;
	h->magic = RULESET_MAGIC;
	h->version = RULESET_VERSION;
	h->size = (uint32_t)sound.len;
	h->checksum = ruleset_checksum(img + from, sound.len - from);
	if (ruleset_open(img, sound.len, &r) == 0)
		ruleset_eval(&r, &q, &v);
	return 0;
}
