/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/keys.h"
#include "supervisor/config/url.h"

#define FIELD(f) offsetof(struct config_global, f)
#define CHECK_INTERVAL_MIN_NS (100 * NS_PER_MS)
#define LOG_WORD_INFO 2 /* in log_words, and LOGL_INFO */

static key_fn read_mark, read_check_url, read_check_dns, read_method,
	read_resolver;

static const char later_relay[] = "relaying arrives with a later version";
static const char not_needed[] = "there is nothing like it in this program";

static const char *const log_words[] = { "error", "warn",  "info",
					 "debug", "trace", NULL };
static const char *const dial_words[] = { "ip", "domain", "domain+", "domain++",
					  NULL };
static const char *const tls_words[] = { "tls", "utls", NULL };

static const struct key keys[] = {
	KEY("tproxy_port", key_u16, FIELD(tproxy_port), .min = 1,
	    .max = UINT16_MAX, .later = later_relay),
	KEY("tproxy_port_protect", key_bool, KEY_NOWHERE, .later = later_relay),
	KEY("so_mark_from_dae", read_mark, 0, .max = UINT32_MAX),
	KEY("log_level", key_word, FIELD(log_level), .words = log_words),
	KEY("tcp_check_url", read_check_url, FIELD(tcp_check_url)),
	KEY("tcp_check_http_method", read_method, FIELD(tcp_check_http_method)),
	KEY("udp_check_dns", read_check_dns, FIELD(udp_check_dns)),
	KEY("check_interval", key_duration, FIELD(check_interval_ns),
	    .min = CHECK_INTERVAL_MIN_NS),
	KEY("check_tolerance", key_duration, FIELD(check_tolerance_ns)),
	KEY("lan_interface", key_list, FIELD(lan_interface)),
	KEY("wan_interface", key_list, FIELD(wan_interface)),
	KEY("allow_insecure", key_bool, FIELD(allow_insecure)),
	KEY("dial_mode", key_word_text, FIELD(dial_mode), .words = dial_words,
	    .later = later_relay),
	KEY("disable_waiting_network", key_bool, KEY_NOWHERE,
	    .later = "starting never waits for the network"),
	KEY("disable_thp", key_bool, KEY_NOWHERE, .later = not_needed),
	KEY("enable_local_tcp_fast_redirect", key_bool, KEY_NOWHERE,
	    .later = not_needed),
	KEY("auto_config_kernel_parameter", key_bool, KEY_NOWHERE,
	    .later = "what routing needs is always set per interface, and "
		     "restored; ip_forward is the administrator's"),
	KEY("auto_config_firewall_rule", key_bool, KEY_NOWHERE,
	    .later = not_needed),
	KEY("sniffing_timeout", key_duration, KEY_NOWHERE,
	    .later = later_relay),
	KEY("tls_implementation", key_word_text, KEY_NOWHERE,
	    .words = tls_words, .later = not_needed),
	KEY("utls_imitate", key_string, KEY_NOWHERE, .later = not_needed),
	KEY("tls_fragment", key_bool, KEY_NOWHERE, .later = later_relay),
	KEY("tls_fragment_length", key_string, KEY_NOWHERE,
	    .later = later_relay),
	KEY("tls_fragment_interval", key_string, KEY_NOWHERE,
	    .later = later_relay),
	KEY("pprof_port", key_u16, KEY_NOWHERE, .max = UINT16_MAX,
	    .later = not_needed),
	KEY("mptcp", key_bool, KEY_NOWHERE, .later = later_relay),
	KEY("bootstrap_resolver", read_resolver, FIELD(bootstrap_resolver)),
	KEY("fallback_resolver", read_resolver, FIELD(fallback_resolver)),
	KEY("bandwidth_max_tx", key_string, KEY_NOWHERE, .later = later_relay),
	KEY("bandwidth_max_rx", key_string, KEY_NOWHERE, .later = later_relay),
	KEY("udphop_interval", key_duration, KEY_NOWHERE, .later = later_relay),
	KEY("bpf_conn_state_map_size", key_u32, KEY_NOWHERE, .max = UINT32_MAX,
	    .later = "the flow table's size is supervisor { flow_entries }"),
	{ .name = NULL },
};

static const char *const methods[] = { "GET",	 "HEAD",    "POST",  "PUT",
				       "DELETE", "CONNECT", "TRACE", "OPTIONS",
				       "PATCH",	 NULL };

static void read_mark(struct config_ctx *c, const struct key *k,
		      const struct ast_item *item, void *out)
{
	struct config_global *g = out;

	key_u32(c, k, item, &g->so_mark_from_dae);
	g->has_so_mark = true;
}

/* Append the declaration's elements to *out; they alone in *ret_new. */
static bool list_add(struct config_ctx *c, const struct key *k,
		     const struct ast_item *item, struct config_list *out,
		     struct config_list *ret_new)
{
	struct config_list all = *out;

	*ret_new = (struct config_list){ 0 };
	key_list(c, k, item, ret_new);
	if (ret_new->count == 0)
		return false;
	key_list(c, k, item, &all);
	*out = all;
	return true;
}

/* "URL, address, address": the addresses spare the look-up. */
static void check_addresses(struct config_ctx *c, const struct key *k,
			    const struct ast_item *item,
			    const struct config_list *list)
{
	struct addr addr;
	size_t i;

	for (i = 1; i < list->count; i++)
		if (addr_parse(list->items[i], &addr) < 0)
			ctx_error(c, keys_value(item), NULL,
				  "'%s' expects IP addresses after its first "
				  "element, got '%s'",
				  k->name, list->items[i]);
}

static void read_check_url(struct config_ctx *c, const struct key *k,
			   const struct ast_item *item, void *out)
{
	struct config_list added, *list = out;
	bool is_first = list->count == 0;
	struct url u;
	char why[160];
	int r;

	if (!list_add(c, k, item, list, &added) || !is_first)
		return;
	r = url_parse(c->scratch, added.items[0], strlen(added.items[0]), &u,
		      why, sizeof(why));
	if (r == 0)
		r = url_check_host(&u, why, sizeof(why));
	if (r < 0)
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects a URL first: %s", k->name, why);
	else if (strcmp(u.scheme, "http") != 0 &&
		 strcmp(u.scheme, "https") != 0)
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects http:// or https://, got '%.32s://'",
			  k->name, u.scheme);
	check_addresses(c, k, item, &added);
}

/* HOST:PORT, the port mandatory. */
static bool is_host_port(struct config_ctx *c, const char *text)
{
	char *url = arena_printf(c->scratch, "dns://%s", text), why[160];
	struct url u;
	uint16_t port;

	return ctx_mem(c, url) &&
	       url_parse(c->scratch, url, strlen(url), &u, why, sizeof(why)) ==
		       0 &&
	       url_check_host(&u, why, sizeof(why)) == 0 &&
	       url_port(&u, 0, &port, why, sizeof(why)) == 0;
}

static void read_check_dns(struct config_ctx *c, const struct key *k,
			   const struct ast_item *item, void *out)
{
	struct config_list added, *list = out;
	bool is_first = list->count == 0;

	if (!list_add(c, k, item, list, &added) || !is_first)
		return;
	if (!is_host_port(c, added.items[0]))
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects HOST:PORT first, got '%s'", k->name,
			  added.items[0]);
	check_addresses(c, k, item, &added);
}

static void read_method(struct config_ctx *c, const struct key *k,
			const struct ast_item *item, void *out)
{
	struct ast_text at = *keys_value(item);
	char hint[96], **method = out;
	size_t i;

	key_string(c, k, item, method);
	for (i = 0; *method && methods[i]; i++)
		if (strcmp(*method, methods[i]) == 0)
			return;
	ctx_warn(c, &at, ctx_suggest(&at, methods, hint, sizeof(hint)),
		 "unknown HTTP method; CONNECT is used, as dae does");
	*method = ctx_mem(c, arena_strndup(c->arena, "CONNECT", 7));
}

/* A list of ADDRESS[:PORT]. */
static void read_resolver(struct config_ctx *c, const struct key *k,
			  const struct ast_item *item, void *out)
{
	struct config_list list = { 0 };
	struct addr addr;
	struct url u;
	char why[160], *url;
	uint16_t port;
	size_t i;

	key_list(c, k, item, &list);
	for (i = 0; i < list.count; i++) {
		if (addr_parse(list.items[i], &addr) == 0)
			continue;
		url = arena_printf(c->scratch, "dns://%s", list.items[i]);
		if (ctx_mem(c, url) &&
		    url_parse(c->scratch, url, strlen(url), &u, why,
			      sizeof(why)) == 0 &&
		    addr_parse(u.host, &addr) == 0 &&
		    url_port(&u, 53, &port, why, sizeof(why)) == 0)
			continue;
		ctx_error(c, keys_value(item), NULL,
			  "'%s' expects ADDRESS or ADDRESS:PORT, got '%s'",
			  k->name, list.items[i]);
		return;
	}
	key_string(c, k, item, out);
}

void section_global(struct config_ctx *c, const struct ast_item *section)
{
	keys_decode(c, section, keys, &c->config->global);
}

void section_global_defaults(struct config *c)
{
	c->global = (struct config_global){
		.tproxy_port = 12345,
		.log_level = LOG_WORD_INFO,
		.check_interval_ns = 30 * NS_PER_S,
	};
}

static void default_list(struct config_ctx *c, struct config_list *list,
			 const char *const *items, size_t count)
{
	char **slot;
	size_t i;

	for (i = 0; list->count == i && i < count; i++) {
		slot = ctx_mem(c, arena_push(c->arena, &list->items,
					     &list->count, sizeof(*slot)));
		if (slot)
			*slot = ctx_mem(c, arena_strndup(c->arena, items[i],
							 strlen(items[i])));
	}
}

static void default_text(struct config_ctx *c, char **text, const char *value)
{
	if (!*text)
		*text = ctx_mem(c,
				arena_strndup(c->arena, value, strlen(value)));
}

void section_global_finish(struct config_ctx *c)
{
	static const char *const url[] = { "http://cp.cloudflare.com",
					   "1.1.1.1", "2606:4700:4700::1111" };
	static const char *const dns[] = { "dns.google:53", "8.8.8.8",
					   "2001:4860:4860::8888" };
	struct config_global *g = &c->config->global;

	if (g->tcp_check_url.count == 0)
		default_list(c, &g->tcp_check_url, url, ARRAY_LEN(url));
	if (g->udp_check_dns.count == 0)
		default_list(c, &g->udp_check_dns, dns, ARRAY_LEN(dns));
	default_text(c, &g->tcp_check_http_method, "HEAD");
	default_text(c, &g->dial_mode, "domain");
	default_text(c, &g->fallback_resolver, "8.8.8.8:53");
}
