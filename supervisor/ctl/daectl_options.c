/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/ctl_proto.h"
#include "common/exitcode.h"
#include "common/text.h"
#include "supervisor/ctl/daectl_out.h"

#define TIMEOUT_MS 5000

const struct daectl_option daectl_options[OPT_COUNT] = {
	[OPT_SOCKET] = { "socket", 's', "PATH", NULL, "the control socket" },
	[OPT_JSON] = { "json", 'j', "[STYLE]", "short pretty",
		       "JSON, of a documented schema" },
	[OPT_NDJSON] = { "ndjson", 0, NULL, NULL, "one JSON object a line" },
	[OPT_TSV] = { "tsv", 0, NULL, NULL, "a table with tabs between" },
	[OPT_NO_LEGEND] = { "no-legend", 0, NULL, NULL, "no header line" },
	[OPT_COLOR] = { "color", 0, "WHEN", "auto always never",
			"colours: auto, always, never" },
	[OPT_QUIET] = { "quiet", 'q', NULL, NULL, "no output on success" },
	[OPT_TIMEOUT] = { "timeout", 0, "TIME", NULL,
			  "wait for an answer at most this long" },
	[OPT_EXIT_STATUS] = { "exit-status", 0, NULL, NULL,
			      "exit with 8 if degraded, 9 if down" },
	[OPT_VERSION] = { "version", 'V', NULL, NULL, "print the version" },
	[OPT_HELP] = { "help", 'h', NULL, NULL, "explain the command" },
	[OPT_GROUP] = { "group", 'g', "GROUP", NULL, "only of the group" },
	[OPT_STATE] = { "state", 0, "STATES",
			"up degraded down unknown quarantined unsupported",
			"only these states, commas between" },
	[OPT_SORT] = { "sort", 0, "KEY", "name rtt state", "order of rows" },
	[OPT_CLASS] = { "class", 0, "CLASSES",
			"tcp udp quic tcp4 tcp6 udp4 udp6 quic4 quic6 tls "
			"https h3",
			"only these checks, commas between" },
	[OPT_FAMILY] = { "family", 0, "N", "4 6", "only IPv4 or IPv6" },
	[OPT_LEAKS] = { "leaks", 0, NULL, NULL,
			"memory that probes of each left behind" },
	[OPT_EVIDENCE] = { "evidence", 0, NULL, NULL,
			   "the last results of each check" },
	[OPT_FOR] = { "for", 0, "TIME", NULL, "only for so long" },
	[OPT_ALL] = { "all", 'a', NULL, NULL, "every worker" },
	[OPT_NOW] = { "now", 0, NULL, NULL, "kill instead of draining" },
	[OPT_NUMBER] = { "count", 'n', "N", NULL, "how many" },
	[OPT_FOLLOW] = { "follow", 'f', NULL, NULL, "wait for further ones" },
	[OPT_SINCE] = { "since", 0, "SEQ", NULL,
			"those after this sequence number" },
	[OPT_COMMIT] = { "commit", 0, NULL, NULL,
			 "let the result count for the verdict" },
	[OPT_STANDALONE] = { "standalone", 0, NULL, NULL,
			     "without the daemon: one worker of our own" },
	[OPT_RESOLVER] = { "resolver", 0, "ADDR", NULL,
			   "ask this name server (standalone)" },
	[OPT_INSECURE] = { "insecure", 0, NULL, NULL,
			   "do not verify the certificate (standalone)" },
	[OPT_DRY_RUN] = { "dry-run", 0, NULL, NULL, "check, change nothing" },
	[OPT_BRIEF] = { "brief", 0, NULL, NULL, "the first line only" },
	[OPT_WAIT] = { "wait", 0, "[TIME]", NULL, "until there are verdicts" },
	[OPT_PROTO] = { "proto", 'p', "PROTO", "tcp udp",
			"tcp (default), udp" },
	[OPT_SPORT] = { "sport", 0, "PORT", NULL, "source port" },
	[OPT_DSCP] = { "dscp", 0, "N", NULL, "traffic class, 0..63" },
	[OPT_MAC] = { "mac", 0, "MAC", NULL, "source MAC address" },
	[OPT_DOMAIN] = { "domain", 0, "NAME", NULL,
			 "name the destination was learned by" },
	[OPT_PROCESS] = { "process", 0, "NAME", NULL, "name of the process" },
	[OPT_BPF_DIR] = { "bpf-dir", 0, "DIR", NULL, "where the pins are" },
	[OPT_STATE_DIR] = { "state-dir", 0, "DIR", NULL,
			    "where saved settings are" },
	[OPT_SRC] = { "src", 0, "CIDR", NULL, "only from these addresses" },
	[OPT_DST] = { "dst", 0, "CIDR", NULL, "only to these addresses" },
	[OPT_PORT] = { "port", 0, "PORT", NULL, "only to this port" },
	[OPT_OUTBOUND] = { "outbound", 0, "NAME", "direct block proxy pass",
			   "only with this verdict, or of this group" },
	[OPT_NODE] = { "node", 0, "NODE", NULL, "only through this node" },
	[OPT_LIMIT] = { "limit", 0, "N", NULL, "at most so many" },
	[OPT_CURSOR] = { "cursor", 0, "N", NULL, "those behind this one" },
	[OPT_COUNT_ONLY] = { "count-only", 0, NULL, NULL,
			     "how many, not which" },
	[OPT_TTL] = { "ttl", 0, "TIME", NULL, "forget it after, if not 5m" },
	[OPT_CONFIRM] = { "confirm", 0, "TIME", NULL,
			  "go back after, unless 'daectl confirm' comes" },
	[OPT_REVERT] = { "revert", 0, NULL, NULL,
			 "go back to the one before now" },
};

static bool may_skip_arg(const struct daectl_option *o)
{
	return o->arg && o->arg[0] == '[';
}

/* -c is what ping(8) calls it. */
#define SHORT_ALIAS_COUNT 'c'

static void build_getopt(struct option *ret_long, char *ret_short)
{
	char *s = ret_short;

	for (int i = 0; i < OPT_COUNT; i++) {
		const struct daectl_option *o = &daectl_options[i];

		ret_long[i] = (struct option){
			.name = o->name,
			.has_arg = !o->arg	     ? no_argument
				   : may_skip_arg(o) ? optional_argument
						     : required_argument,
			.val = 256 + i,
		};
		if (!o->letter)
			continue;
		*s++ = o->letter;
		if (o->arg && !may_skip_arg(o))
			*s++ = ':';
	}
	*s++ = SHORT_ALIAS_COUNT;
	*s++ = ':';
	*s = '\0';
}

static int option_of(int got)
{
	if (got >= 256)
		return got - 256;
	if (got == SHORT_ALIAS_COUNT)
		return OPT_NUMBER;
	for (int i = 0; i < OPT_COUNT; i++)
		if (daectl_options[i].letter == got)
			return i;
	return -1;
}

static int read_options(struct daectl *d, int argc, char **argv)
{
	char letters[3 * OPT_COUNT + 4];
	struct option longs[OPT_COUNT + 1] = { 0 };
	int got, i;

	build_getopt(longs, letters);
	optind = 0;
	argv[0] = (char *)"daectl"; /* what getopt calls us */
	while ((got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		i = option_of(got);
		if (i < 0)
			return CTL_EXIT_USAGE; /* getopt has said why */
		d->opt[i] = optarg ? optarg : "";
	}
	d->args = argv + optind;
	d->arg_count = argc - optind;
	return CTL_EXIT_OK;
}

static const char *suggest_object(const char *word)
{
	const char *names[64];
	size_t n = 0;

	for (size_t i = 0; i < daectl_command_count && n < 63; i++)
		names[n++] = daectl_commands[i].object;
	names[n] = NULL;
	return text_suggest(word, names);
}

/* The row for these words, and how many of them it took. */
static const struct daectl_command *find_command(char **words, int n,
						 int *ret_used)
{
	const struct daectl_command *c, *alone = NULL;

	for (size_t i = 0; i < daectl_command_count; i++) {
		c = &daectl_commands[i];
		if (strcmp(c->object, words[0]) != 0)
			continue;
		if (!c->verb) {
			alone = c;
		} else if (n > 1 && strcmp(c->verb, words[1]) == 0) {
			*ret_used = 2;
			return c;
		}
	}
	*ret_used = 1;
	return alone;
}

static bool has_object(const char *word)
{
	for (size_t i = 0; i < daectl_command_count; i++)
		if (strcmp(daectl_commands[i].object, word) == 0)
			return true;
	return false;
}

static int pick_command(struct daectl *d)
{
	const char *near;
	int used = 0;

	d->cmd = find_command(d->args, d->arg_count, &used);
	if (!d->cmd && has_object(d->args[0]))
		return out_usage("'%s' needs a further word; see 'daectl "
				 "help'",
				 d->args[0]);
	if (!d->cmd) {
		near = suggest_object(d->args[0]);
		return near ? out_usage("no such command: '%s'; did you mean "
					"'%s'?",
					d->args[0], near)
			    : out_usage("no such command: '%s'; see 'daectl "
					"help'",
					d->args[0]);
	}
	d->args += used;
	d->arg_count -= used;
	return CTL_EXIT_OK;
}

static int check_usage(const struct daectl *d)
{
	for (int i = OPT_GLOBAL_COUNT; i < OPT_COUNT; i++)
		if (d->opt[i] && !(d->cmd->options & OPT(i)))
			return out_usage("--%s does not go with '%s%s%s'",
					 daectl_options[i].name, d->cmd->object,
					 d->cmd->verb ? " " : "",
					 d->cmd->verb ? d->cmd->verb : "");
	if (d->arg_count < d->cmd->min_args ||
	    (d->cmd->max_args >= 0 && d->arg_count > d->cmd->max_args))
		return out_usage("usage: daectl %s%s%s %s", d->cmd->object,
				 d->cmd->verb ? " " : "",
				 d->cmd->verb ? d->cmd->verb : "",
				 d->cmd->args);
	return CTL_EXIT_OK;
}

/* --color beats NO_COLOR beats CLICOLOR_FORCE beats the terminal. */
static int decide_color(struct daectl *d)
{
	const char *when = d->opt[OPT_COLOR], *env;

	if (when && !strcmp(when, "always")) {
		d->has_color = true;
		return CTL_EXIT_OK;
	}
	if (when && !strcmp(when, "never"))
		return CTL_EXIT_OK;
	if (when && strcmp(when, "auto"))
		return out_usage("--color: auto, always or never, not '%s'",
				 when);
	env = getenv("NO_COLOR");
	if (env && *env)
		return CTL_EXIT_OK;
	env = getenv("CLICOLOR_FORCE");
	if (env && *env && strcmp(env, "0") != 0) {
		d->has_color = true;
		return CTL_EXIT_OK;
	}
	env = getenv("TERM");
	d->has_color = isatty(STDOUT_FILENO) && !(env && !strcmp(env, "dumb"));
	return CTL_EXIT_OK;
}

static int decide_output(struct daectl *d)
{
	const char *style = d->opt[OPT_JSON];
	int64_t ms;

	d->has_legend = !daectl_has(d, OPT_NO_LEGEND);
	d->is_quiet = daectl_has(d, OPT_QUIET);
	if (style && *style && strcmp(style, "pretty") &&
	    strcmp(style, "short"))
		return out_usage("--json: short or pretty, not '%s'", style);
	if (daectl_has(d, OPT_NDJSON))
		d->format = FORMAT_NDJSON;
	else if (style)
		d->format = strcmp(style, "short") ? FORMAT_JSON
						   : FORMAT_JSON_SHORT;
	else if (daectl_has(d, OPT_TSV))
		d->format = FORMAT_TSV;
	ms = daectl_duration_ms(d, OPT_TIMEOUT, TIMEOUT_MS);
	if (ms < 0)
		return CTL_EXIT_USAGE;
	d->timeout_ms = (uint64_t)ms;
	return decide_color(d);
}

int daectl_parse(struct daectl *d, int argc, char **argv)
{
	const char *env = getenv("DAECTL_SOCKET");
	int r;

	r = read_options(d, argc, argv);
	if (r == CTL_EXIT_OK)
		r = decide_output(d);
	if (r != CTL_EXIT_OK)
		return r;
	if (daectl_has(d, OPT_SOCKET))
		d->socket = d->opt[OPT_SOCKET];
	else
		d->socket = env && *env ? env : CTL_SOCKET_PATH;
	if (daectl_has(d, OPT_VERSION)) {
		out_client_version();
		return -1;
	}
	if (d->arg_count == 0) {
		daectl_print_help(NULL);
		return daectl_has(d, OPT_HELP) ? -1 : CTL_EXIT_USAGE;
	}
	r = pick_command(d);
	if (r != CTL_EXIT_OK)
		return r;
	if (daectl_has(d, OPT_HELP)) {
		daectl_print_help(d->cmd);
		return -1;
	}
	return check_usage(d);
}

int64_t daectl_number(const struct daectl *d, enum daectl_opt o, uint64_t max,
		      int64_t otherwise)
{
	uint64_t v;

	if (!d->opt[o])
		return otherwise;
	if (text_parse_uint(d->opt[o], max, &v) == 0)
		return (int64_t)v;
	out_usage("--%s: a number up to %llu, not '%s'", daectl_options[o].name,
		  (unsigned long long)max, d->opt[o]);
	return -1;
}

int64_t daectl_duration_ms(const struct daectl *d, enum daectl_opt o,
			   int64_t otherwise)
{
	int64_t ns;

	if (!d->opt[o] || !*d->opt[o])
		return otherwise;
	if (text_parse_duration(d->opt[o], &ns) == 0 && ns >= 0)
		return ns / (int64_t)NS_PER_MS;
	out_usage("--%s: a duration such as 30s, not '%s'",
		  daectl_options[o].name, d->opt[o]);
	return -1;
}
