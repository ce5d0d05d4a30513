/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "tests/unit/ctl_fixture.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_schema.h"

static struct ctl_fixture *fixture;

static int setup(void **state)
{
	(void)state;
	fixture = ctl_fixture_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctl_fixture_free(&fixture);
	return 0;
}

/* Run @cmd; the answer's frame as JSON. */
static json_t *ask(const char *cmd, const char *args, bool rw)
{
	struct ctl_view view;
	struct ctl_call call = { .view = &view,
				 .ops = &ctl_fixture_ops,
				 .ctx = fixture,
				 .may_write = rw,
				 .ticket = 7 };
	json_t *reply;
	size_t len;
	char *text;
	int r;

	fixture->op[0] = '\0';
	ctl_fixture_ops.view(fixture, &view);
	call.args = json_loads(args, 0, NULL);
	assert_non_null(call.args);
	r = ctl_dispatch(&call, cmd);
	if (r == 0 && call.is_pending) {
		json_decref(call.args);
		return NULL;
	}
	text = ctl_call_format(&call, 5, r, &len);
	assert_non_null(text);
	assert_int_equal(len, strlen(text));
	reply = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(reply);
	free(text);
	json_decref(call.args);
	ctl_call_clear(&call);
	return reply;
}

/* What each command answers: its schema or error, and what it asked for. */
static const struct {
	const char *cmd, *args;
	bool rw;
	const char *schema; /* or NULL */
	const char *code;   /* of the error, or NULL */
	const char *op;	    /* the operation, or "" */
} rows[] = {
	{ "status", "{}", false, "dae.status/1", NULL, "" },
	{ "status", "{\"x\":1}", false, NULL, "EINVAL", "" },
	{ "version", "{}", false, "dae.version/1", NULL, "" },
	{ "doctor", "{}", false, "dae.doctor-facts/1", NULL, "" },
	{ "nodes.list", "{}", false, "dae.nodes/1", NULL, "" },
	{ "nodes.show", "{\"name\":\"hk-01\"}", false, "dae.node/1", NULL, "" },
	{ "nodes.show", "{\"name\":\"\\u65e5\\u672c-02\"}", false, "dae.node/1",
	  NULL, "" },
	{ "nodes.show", "{\"name\":\"hk-02\"}", false, NULL, "ENOENT", "" },
	{ "nodes.show", "{\"name\":\"far\"}", false, NULL, "ENOENT", "" },
	{ "nodes.show", "{\"name\":1}", false, NULL, "EINVAL", "" },
	{ "nodes.show", "{}", false, NULL, "EINVAL", "" },
	{ "nodes.admin", "{\"name\":\"hk-01\",\"state\":\"drain\"}", false,
	  NULL, "EACCES", "" },
	{ "nodes.admin",
	  "{\"name\":\"hk-01\",\"state\":\"drain\",\"for_ms\":60000}", true,
	  "dae.result/1", NULL, "admin 1 drain 60" },
	{ "nodes.admin", "{\"name\":\"hk-01\",\"state\":\"sideways\"}", true,
	  NULL, "EINVAL", "" },
	{ "nodes.admin",
	  "{\"name\":\"hk-01\",\"state\":\"auto\",\"for_ms\":-1}", true, NULL,
	  "EINVAL", "" },
	{ "nodes.quarantine", "{\"name\":\"hk-01\"}", true, "dae.result/1",
	  NULL, "hold 1" },
	{ "nodes.release", "{\"name\":\"hk-01\"}", true, "dae.result/1", NULL,
	  "release 1" },
	{ "monitors.list", "{}", false, "dae.monitors/1", NULL, "" },
	{ "monitors.show", "{\"name\":\"far\"}", false, "dae.monitor/1", NULL,
	  "" },
	{ "groups.list", "{}", false, "dae.groups/1", NULL, "" },
	{ "groups.show", "{\"name\":\"proxy\"}", false, "dae.group/1", NULL,
	  "" },
	{ "groups.show", "{\"name\":\"none\"}", false, NULL, "ENOENT", "" },
	{ "groups.select", "{\"name\":\"proxy\",\"node\":\"hk-01\"}", true,
	  "dae.result/1", NULL, "select 0 1" },
	{ "groups.auto", "{\"name\":\"game\"}", true, "dae.result/1", NULL,
	  "select 1 -1" },
	{ "groups.auto", "{\"name\":\"game\"}", false, NULL, "EACCES", "" },
	{ "workers.list", "{}", false, "dae.workers/1", NULL, "" },
	{ "workers.show", "{\"index\":1}", false, "dae.worker/1", NULL, "" },
	{ "workers.show", "{\"index\":2}", false, NULL, "ENOENT", "" },
	{ "workers.show", "{\"index\":-1}", false, NULL, "ENOENT", "" },
	{ "workers.show", "{\"index\":9223372036854775807}", false, NULL,
	  "ENOENT", "" },
	{ "recycle", "{\"index\":0}", true, "dae.result/1", NULL, "recycle 0" },
	{ "recycle", "{\"all\":true,\"now\":true}", true, "dae.result/1", NULL,
	  "recycle 64 now" },
	{ "recycle", "{}", true, NULL, "EINVAL", "" },
	{ "recycle", "{\"all\":true,\"index\":0}", true, NULL, "EINVAL", "" },
	{ "recycle.policy", "{}", false, "dae.recycle-policy/1", NULL, "" },
	{ "recycle.policy.set", "{\"rss_soft\":\"32M\"}", false, NULL, "EACCES",
	  "" },
	{ "recycle.policy.set", "{\"rss_soft\":\"32M\"}", true,
	  "dae.recycle-policy/1", NULL, "policy" },
	{ "recycle.policy.set", "{\"rss_soft\":\"99G\"}", true, NULL, "EINVAL",
	  "" },
	{ "recycle.policy.set", "{\"rss_sofd\":\"32M\"}", true, NULL, "EINVAL",
	  "" },
	{ "recycle.policy.set", "{\"max_age\":5}", true, NULL, "EINVAL", "" },
	{ "events", "{}", false, "dae.events/1", NULL, "" },
	{ "events", "{\"count\":-1}", false, NULL, "EINVAL", "" },
	{ "reload", "{}", true, "dae.reload/1", NULL, "reload" },
	{ "reload", "{\"dry_run\":true}", true, "dae.reload/1", NULL,
	  "reload dry" },
	{ "reload", "{\"confirm_ms\":60000}", true, "dae.reload/1", NULL,
	  "reload 60000" },
	{ "reload", "{\"confirm_ms\":-1}", true, NULL, "EINVAL", "" },
	{ "reload", "{\"confirm_ms\":86400001}", true, NULL, "EINVAL", "" },
	{ "reload", "{}", false, NULL, "EACCES", "" },
	{ "reload.diff", "{\"id\":3}", true, "dae.reload-diff/1", NULL,
	  "diff" },
	{ "reload.diff", "{\"id\":4}", true, NULL, "ENOENT", "diff" },
	{ "reload.diff", "{}", true, NULL, "EINVAL", "" },
	{ "reload.diff", "{\"id\":3}", false, NULL, "EACCES", "" },
	{ "reload.flows", "{\"id\":3}", true, "dae.reload-flows/1", NULL,
	  "diff step" },
	{ "reload.flows", "{\"id\":3}", false, NULL, "EACCES", "" },
	{ "confirm", "{}", true, "dae.result/1", NULL, "confirm" },
	{ "confirm", "{\"revert\":true}", true, "dae.result/1", NULL,
	  "revert" },
	{ "confirm", "{}", false, NULL, "EACCES", "" },
	{ "route.rules", "{}", false, "dae.route-rules/1", NULL, "rules" },
	{ "route.rules", "{\"x\":1}", false, NULL, "EINVAL", "" },
	{ "flows", "{}", false, "dae.flows/1", NULL, "flows" },
	{ "flows", "{\"count\":true,\"port\":443}", false, "dae.flows/1", NULL,
	  "flows" },
	{ "flows", "{\"limit\":0}", false, NULL, "EINVAL", "" },
	{ "flows", "{\"port\":65536}", false, NULL, "EINVAL", "" },
	{ "flows", "{\"proto\":\"icmp\"}", false, NULL, "EINVAL", "" },
	{ "flows", "{\"src\":\"1.2.3\"}", false, NULL, "EINVAL", "" },
	{ "flows", "{\"whatever\":1}", false, NULL, "EINVAL", "" },
	{ "route.trace", "{}", true, "dae.route-trace/1", NULL,
	  "trace 0 0 0 0 86400000" },
	{ "route.trace",
	  "{\"dst\":\"10.0.0.0/8\",\"proto\":\"udp\",\"port\":53,\"count\":4,"
	  "\"for_ms\":1500}",
	  true, "dae.route-trace/1", NULL, "trace 17 8 53 4 1500" },
	{ "route.trace", "{}", false, NULL, "EACCES", "" },
	{ "route.trace", "{\"count\":-1}", true, NULL, "EINVAL", "" },
	{ "route.trace", "{\"for_ms\":0}", true, NULL, "EINVAL", "" },
	{ "route.trace", "{\"for_ms\":86400001}", true, NULL, "EINVAL", "" },
	{ "route.trace", "{\"node\":\"hk-01\"}", true, NULL, "EINVAL", "" },
	{ "route.trace", "{\"dst\":\"10.0.0.0/33\"}", true, NULL, "EINVAL",
	  "" },
	{ "probe", "{\"name\":\"nobody\"}", true, NULL, "ENOENT", "" },
	{ "probe", "{\"name\":\"hk-01\",\"count\":0}", true, NULL, "EINVAL",
	  "" },
	{ "probe", "{\"name\":\"hk-01\",\"classes\":\"h3\"}", true, NULL,
	  "ENOENT", "" },
	{ "probe", "{\"name\":\"hk-01\"}", false, NULL, "EACCES", "" },
	{ "route.test", "{\"src\":\"192.0.2.9\",\"dst\":\"192.0.2.1\"}", false,
	  "dae.route-test/1", NULL, "route" },
	{ "route.test", "{\"src\":\"192.0.2.9\",\"dst\":\"2001:db8::1\"}",
	  false, NULL, "EINVAL", "" },
	{ "route.test",
	  "{\"src\":\"192.0.2.9\",\"dst\":\"192.0.2.1\",\"dport\":70000}",
	  false, NULL, "EINVAL", "" },
	{ "route.test",
	  "{\"src\":\"192.0.2.9\",\"dst\":\"192.0.2.1\",\"mac\":\"xx\"}", false,
	  NULL, "EINVAL", "" },
	{ "route.learn",
	  "{\"name\":\"WWW.Example.org.\",\"addresses\":[\"192.0.2.1\","
	  "\"2001:db8::1\"],\"ttl_s\":60}",
	  true, "dae.learn/1", NULL, "learn www.example.org 2 60" },
	{ "route.learn", "{\"name\":\"a.org\",\"addresses\":[\"192.0.2.1\"]}",
	  true, "dae.learn/1", NULL, "learn a.org 1 300" },
	{ "route.learn", "{\"name\":\"a.org\",\"addresses\":[\"192.0.2.1\"]}",
	  false, NULL, "EACCES", "" },
	{ "route.learn", "{\"name\":\"a b\",\"addresses\":[\"192.0.2.1\"]}",
	  true, NULL, "EINVAL", "" },
	{ "route.learn", "{\"name\":\"a.org\",\"addresses\":[]}", true, NULL,
	  "EINVAL", "" },
	{ "route.learn", "{\"name\":\"a.org\",\"addresses\":{}}", true, NULL,
	  "EINVAL", "" },
	{ "route.learn", "{\"name\":\"a.org\",\"addresses\":[5]}", true, NULL,
	  "EINVAL", "" },
	{ "route.learn",
	  "{\"name\":\"a.org\",\"addresses\":[\"192.0.2.1\","
	  "\"127.0.0.1\"]}",
	  true, NULL, "EINVAL", "" },
	{ "route.learn",
	  "{\"name\":\"a.org\",\"addresses\":[\"192.0.2.1\"],"
	  "\"ttl_s\":0}",
	  true, NULL, "EINVAL", "" },
	{ "route.forget", "{\"what\":\"a.org\"}", true, "dae.forget/1", NULL,
	  "forget" },
	{ "route.forget", "{\"what\":\"nobody.example.org\"}", true, NULL,
	  "ENOENT", "" },
	{ "route.forget", "{\"what\":\"no name\"}", true, NULL, "EINVAL", "" },
	{ "route.forget", "{\"what\":\"a.org\"}", false, NULL, "EACCES", "" },
	{ "route.learned", "{}", true, "dae.learned/1", NULL, "" },
	{ "route.learned", "{}", false, NULL, "EACCES", "" },
	{ "no.such", "{}", true, NULL, "ENOSYS", "" },
};

static void test_table(void **state)
{
	char why[128] = "";
	json_t *j;
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		j = ask(rows[i].cmd, rows[i].args, rows[i].rw);
		assert_non_null(j);
		print_message("%s %s\n", rows[i].cmd, rows[i].args);
		assert_string_equal(fixture->op, rows[i].op);
		if (rows[i].code) {
			assert_string_equal(
				json_string_value(json_object_get(
					json_object_get(j, "error"), "code")),
				rows[i].code);
			assert_false(json_is_true(json_object_get(j, "ok")));
			json_decref(j);
			continue;
		}
		assert_true(json_is_true(json_object_get(j, "ok")));
		assert_string_equal(
			json_string_value(json_object_get(j, "schema")),
			rows[i].schema);
		r = ctl_schema_check(rows[i].schema, json_object_get(j, "data"),
				     why, sizeof(why));
		if (r < 0)
			print_message("%s: %s\n", rows[i].schema, why);
		assert_int_equal(r, 0);
		json_decref(j);
	}
}

static void test_probe_is_answered_later(void **state)
{
	(void)state;
	assert_null(ask("probe",
			"{\"name\":\"hk-01\",\"classes\":\"udp,tcp6\","
			"\"count\":3}",
			true));
	assert_string_equal(fixture->op, "probe");
	assert_int_equal(fixture->ticket, 7);
	assert_int_equal(fixture->probe.count, 3);
	assert_int_equal(fixture->probe.checks,
			 1 << CHECK_UDP4 | 1 << CHECK_UDP6 | 1 << CHECK_TCP6);
}

/* A bad file: the code that makes daectl exit with 6, and both places. */
static void test_reload_shows_diagnostics(void **state)
{
	json_t *j, *e;

	(void)state;
	fixture->fail = -22;
	j = ask("reload", "{}", true);
	fixture->fail = 0;
	e = json_object_get(j, "error");
	assert_string_equal(json_string_value(json_object_get(e, "code")),
			    "ECONFIG");
	assert_true(json_array_size(json_object_get(e, "diagnostics")) >= 2);
	json_decref(j);
}

static void test_no_secret_and_no_escape_is_shown(void **state)
{
	static const char *const lists[] = { "nodes.list", "groups.list",
					     "events", "status" };
	json_t *j;
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		j = ask(lists[i], "{}", false);
		text = json_dumps(j, 0);
		assert_null(strstr(text, "secret"));
		assert_null(strstr(text, "\\u001b"));
		assert_null(strstr(text, "\x1b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		free(text);
		json_decref(j);
	}
}

static void test_policy_keeps_what_is_not_named(void **state)
{
	json_t *j;

	(void)state;
	j = ask("recycle.policy.set",
		"{\"max_age\":\"2h\",\"jitter\":\"5%\",\"max_probes\":\"9\"}",
		true);
	json_decref(j);
	assert_int_equal(fixture->policy.max_age_ns, 7200 * NS_PER_S);
	assert_int_equal(fixture->policy.jitter_percent, 5);
	assert_int_equal(fixture->policy.max_probes, 9);
	assert_int_equal(fixture->policy.rss_soft_bytes, 16 << 20);
}

/* Each page of the events goes on where the last ended, and follows. */
static void test_events_page_and_follow(void **state)
{
	struct ctl_view view;
	struct ctl_call c = { .view = &view,
			      .ops = &ctl_fixture_ops,
			      .ctx = fixture };
	size_t seen = 0, pages = 0;

	(void)state;
	for (int i = 0; i < 250; i++)
		ctl_fixture_event(fixture, "again");
	ctl_fixture_ops.view(fixture, &view);
	c.args = json_pack("{s:i, s:b}", "since", 0, "follow", 1);
	do {
		assert_int_equal(ctl_dispatch(&c, "events"), 0);
		seen += json_array_size(c.data);
		pages++;
		ctl_call_clear(&c);
		assert_true(c.more);
	} while (!c.is_follow && pages < 10);
	assert_int_equal(seen, event_last_seq(view.prober->events));
	assert_true(pages >= 3);
	ctl_fixture_event(fixture, "the next");
	c.is_follow = false;
	assert_int_equal(ctl_dispatch(&c, "events"), 0);
	assert_int_equal(json_array_size(c.data), 1);
	ctl_call_clear(&c);
	json_decref(c.args);
}

/* A group with more members than a frame may have is shown in pages. */
static void test_group_pages(void **state)
{
	struct group *g = &fixture->prober->groups[0], kept = *g;
	struct ctl_view view;
	struct ctl_call c = { .view = &view,
			      .ops = &ctl_fixture_ops,
			      .ctx = fixture };
	struct group_slot members[250];
	size_t seen = 0, pages = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		members[i] = kept.members[i % kept.member_count];
	g->members = members;
	g->member_count = ARRAY_LEN(members);
	ctl_fixture_ops.view(fixture, &view);
	c.args = json_pack("{s:s}", "name", g->name);
	do {
		assert_int_equal(ctl_dispatch(&c, "groups.show"), 0);
		seen += json_array_size(json_object_get(c.data, "members"));
		ctl_call_clear(&c);
		pages++;
	} while (c.more && pages < 10);
	json_decref(c.args);
	*g = kept;
	assert_int_equal(seen, ARRAY_LEN(members));
	assert_int_equal(pages, 3);
}

static void test_schema_check_sees_a_wrong_field(void **state)
{
	char why[128];
	json_t *j = ask("workers.list", "{}", false);
	json_t *data = json_object_get(j, "data");

	(void)state;
	json_object_set_new(json_array_get(data, 0), "pid", json_string("x"));
	assert_int_equal(
		ctl_schema_check("dae.workers/1", data, why, sizeof(why)), -22);
	assert_string_equal(why, "pid: wrong type");
	json_object_del(json_array_get(data, 0), "pid");
	assert_int_equal(
		ctl_schema_check("dae.workers/1", data, why, sizeof(why)), -22);
	assert_string_equal(why, "pid: missing");
	json_decref(j);
}

static void test_schemas_can_be_printed(void **state)
{
	json_t *j;

	(void)state;
	for (size_t i = 0; ctl_schema_name(i); i++) {
		j = ctl_schema_json(ctl_schema_name(i));
		assert_non_null(j);
		assert_string_equal(
			json_string_value(json_object_get(j, "$id")),
			ctl_schema_name(i));
		json_decref(j);
	}
	assert_null(ctl_schema_json("dae.nothing/1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_probe_is_answered_later),
		cmocka_unit_test(test_reload_shows_diagnostics),
		cmocka_unit_test(test_no_secret_and_no_escape_is_shown),
		cmocka_unit_test(test_policy_keeps_what_is_not_named),
		cmocka_unit_test(test_events_page_and_follow),
		cmocka_unit_test(test_group_pages),
		cmocka_unit_test(test_schema_check_sees_a_wrong_field),
		cmocka_unit_test(test_schemas_can_be_printed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
