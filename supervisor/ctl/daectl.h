/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daectl(1): one table of commands, one of options; what follows from them is
 * parsing, help and completion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum daectl_opt {
	OPT_SOCKET,
	OPT_JSON,
	OPT_NDJSON,
	OPT_TSV,
	OPT_NO_LEGEND,
	OPT_COLOR,
	OPT_QUIET,
	OPT_TIMEOUT,
	OPT_EXIT_STATUS,
	OPT_VERSION,
	OPT_HELP,
	OPT_GLOBAL_COUNT, /* those above go with every command */
	OPT_GROUP = OPT_GLOBAL_COUNT,
	OPT_STATE,
	OPT_SORT,
	OPT_CLASS,
	OPT_FAMILY,
	OPT_LEAKS,
	OPT_EVIDENCE,
	OPT_FOR,
	OPT_ALL,
	OPT_NOW,
	OPT_NUMBER,
	OPT_FOLLOW,
	OPT_SINCE,
	OPT_COMMIT,
	OPT_STANDALONE,
	OPT_RESOLVER,
	OPT_INSECURE,
	OPT_DRY_RUN,
	OPT_BRIEF,
	OPT_WAIT,
	OPT_PROTO,
	OPT_SPORT,
	OPT_DSCP,
	OPT_MAC,
	OPT_DOMAIN,
	OPT_PROCESS,
	OPT_BPF_DIR,
	OPT_STATE_DIR,
	OPT_SRC,
	OPT_DST,
	OPT_PORT,
	OPT_OUTBOUND,
	OPT_NODE,
	OPT_LIMIT,
	OPT_CURSOR,
	OPT_COUNT_ONLY,
	OPT_TTL,
	OPT_CONFIRM,
	OPT_REVERT,
	OPT_COUNT
};

struct daectl_option {
	const char *name;
	char letter;	    /* 0: none */
	const char *arg;    /* NULL: a flag; "[X]": may be left out */
	const char *values; /* for completion, blanks between; or NULL */
	const char *help;
};

extern const struct daectl_option daectl_options[OPT_COUNT];

enum daectl_format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_JSON_SHORT,
	FORMAT_NDJSON,
	FORMAT_TSV
};

struct daectl_command;

/* One run: what was asked, and how it is to be shown. */
struct daectl {
	const struct daectl_command *cmd;
	const char *opt[OPT_COUNT]; /* NULL: not given; "" for flags */
	char **args;		    /* behind the command's words */
	int arg_count;
	enum daectl_format format;
	bool has_color, has_legend, is_quiet;
	const char *socket;
	uint64_t timeout_ms;
};

/* What a positional argument is, for completion. */
enum daectl_arg {
	ARG_NONE,
	ARG_NODE,
	ARG_MONITOR,
	ARG_GROUP,
	ARG_WORKER,
	ARG_FILE,
	ARG_SHELL
};

#define OPT(o) (1ULL << (o))

struct daectl_command {
	const char *object, *verb;    /* verb NULL: the object alone */
	int (*run)(struct daectl *d); /* an exit code */
	int min_args, max_args;
	uint64_t options; /* besides the global ones */
	enum daectl_arg arg;
	const char *args; /* for the usage line */
	const char *help;
};

extern const struct daectl_command daectl_commands[];
extern const size_t daectl_command_count;

/* Fill *d from the command line. 0, or an exit code with all said; -1: exit
 * with success, the answer (help, version) has been printed. */
int daectl_parse(struct daectl *d, int argc, char **argv);
void daectl_print_help(const struct daectl_command *c);

static inline bool daectl_has(const struct daectl *d, enum daectl_opt o)
{
	return d->opt[o] != NULL;
}

/* The option as a number up to @max, or @otherwise; -1 with a usage message. */
int64_t daectl_number(const struct daectl *d, enum daectl_opt o, uint64_t max,
		      int64_t otherwise);
/* The option as a duration in ms, or @otherwise; -1 with a usage message. */
int64_t daectl_duration_ms(const struct daectl *d, enum daectl_opt o,
			   int64_t otherwise);
