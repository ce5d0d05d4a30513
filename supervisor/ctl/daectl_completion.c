/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion scripts, from the tables of commands and options. Names of nodes
 * come from outside: they are read line by line and never evaluated.
 */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/daectl_out.h"

static const char *arg_list(enum daectl_arg a)
{
	switch (a) {
	case ARG_NODE:
		return "nodes";
	case ARG_MONITOR:
		return "monitors";
	case ARG_GROUP:
		return "groups";
	case ARG_WORKER:
		return "workers";
	case ARG_FILE:
		return "-file";
	case ARG_SHELL:
		return "-shell";
	default:
		return "";
	}
}

/* Each object once, in the order of the table. */
static bool is_first(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(daectl_commands[k].object,
			    daectl_commands[i].object))
			return false;
	return true;
}

static void put_objects(void)
{
	for (size_t i = 0; i < daectl_command_count; i++)
		if (is_first(i))
			printf("%s%s", i ? " " : "", daectl_commands[i].object);
}

static void put_verbs(const char *object)
{
	const char *before = "";

	for (size_t i = 0; i < daectl_command_count; i++) {
		const struct daectl_command *c = &daectl_commands[i];

		if (strcmp(c->object, object) || !c->verb)
			continue;
		printf("%s%s", before, c->verb);
		before = " ";
	}
}

static void put_options(uint64_t mask)
{
	const char *before = "";

	for (int i = 0; i < OPT_COUNT; i++) {
		if (!(mask & OPT(i)))
			continue;
		printf("%s--%s%s", before, daectl_options[i].name,
		       daectl_options[i].arg && daectl_options[i].arg[0] != '['
			       ? "="
			       : "");
		before = " ";
	}
}

static void put_value_cases(void)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (daectl_options[i].values)
			printf("\t--%s) values='%s' ;;\n",
			       daectl_options[i].name,
			       daectl_options[i].values);
}

/* "OBJECT VERB") opts=…; arg=…;; with the longer patterns first. */
static void put_command_cases(void)
{
	for (int with_verb = 1; with_verb >= 0; with_verb--) {
		for (size_t i = 0; i < daectl_command_count; i++) {
			const struct daectl_command *c = &daectl_commands[i];

			if ((c->verb != NULL) != with_verb)
				continue;
			if (c->verb)
				printf("\t'%s %s') opts='", c->object, c->verb);
			else
				printf("\t'%s '*) opts='", c->object);
			put_options(c->options);
			printf("' arg='%s' ;;\n", arg_list(c->arg));
		}
	}
}

static void put_verb_cases(void)
{
	for (size_t i = 0; i < daectl_command_count; i++) {
		if (!is_first(i))
			continue;
		printf("\t%s) verbs='", daectl_commands[i].object);
		put_verbs(daectl_commands[i].object);
		printf("' ;;\n");
	}
}

static const char shell_head[] = "# SPDX-License-Identifier: GPL-2.0-or-later\n"
				 "# Made by 'daectl completion %s'.\n";

/* Shared by bash and zsh, which read the same case statements. */
static void put_tables(void)
{
	printf("\tcase $prev in\n");
	put_value_cases();
	printf("\tesac\n\tcase $object in\n");
	put_verb_cases();
	printf("\tesac\n\tcase \"$object $verb\" in\n");
	put_command_cases();
	printf("\tesac\n\tobjects='");
	put_objects();
	printf("'\n\tglobal='");
	put_options(OPT(OPT_GLOBAL_COUNT) - 1);
	printf("'\n");
}

static void put_bash(void)
{
	printf(shell_head, "bash");
	fputs("_daectl()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev='' object='' verb=''\n"
	      "\tlocal objects verbs='' opts='' arg='' values='' global word name n=0\n"
	      "\tlocal i words=''\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=${COMP_WORDS[i]}\n"
	      "\t\t[[ $word == -* || $word == = || "
	      "${COMP_WORDS[i-1]} == = ]] && continue\n"
	      "\t\tn=$((n + 1))\n"
	      "\t\t[[ $n == 1 ]] && object=$word\n"
	      "\t\t[[ $n == 2 ]] && verb=$word\n"
	      "\tdone\n"
	      "\tif [[ $cur == = ]]; then prev=${COMP_WORDS[COMP_CWORD-1]} cur=''\n"
	      "\telif ((COMP_CWORD > 1)) && "
	      "[[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\tfi\n",
	      stdout);
	put_tables();
	fputs("\tCOMPREPLY=()\n"
	      "\tif [[ $prev == --* ]]; then words=$values\n"
	      "\telif [[ $cur == -* ]]; then words=\"$opts $global\"\n"
	      "\telif ((n == 0)); then words=$objects\n"
	      "\telif ((n == 1)) && [[ $verbs ]]; then words=$verbs\n"
	      "\tfi\n"
	      "\tif [[ $words ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	      "\"$cur\")\n"
	      "\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	      "\tfi\n"
	      "\t[[ $prev == --* || $cur == -* ]] && return\n"
	      "\tcase $arg in\n"
	      "\t-file) compopt -o default ;;\n"
	      "\t-shell) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < "
	      "<(compgen -W 'bash zsh fish' -- \"$cur\") ;;\n"
	      "\t?*)\t# names are data: never through compgen -W\n"
	      "\t\twhile IFS= read -r name; do\n"
	      "\t\t\tname=${name%%$'\\t'*}\n"
	      "\t\t\t[[ $name == \"$cur\"* ]] && "
	      "COMPREPLY+=(\"$(printf %q \"$name\")\")\n"
	      "\t\tdone < <(daectl \"$arg\" --tsv --no-legend 2>/dev/null) ;;\n"
	      "\tesac\n"
	      "}\ncomplete -F _daectl daectl\n",
	      stdout);
}

static void put_zsh(void)
{
	printf("#compdef daectl\n");
	printf(shell_head, "zsh");
	fputs("_daectl()\n{\n"
	      "\tlocal cur=$words[CURRENT] prev='' object='' verb='' word\n"
	      "\tlocal objects verbs='' opts='' arg='' values='' global\n"
	      "\tlocal -i n=0 i\n\tlocal -a names\n"
	      "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	      "\t\tword=$words[i]\n"
	      "\t\t[[ $word == -* ]] && continue\n"
	      "\t\tn=$((n + 1))\n"
	      "\t\t[[ $n == 1 ]] && object=$word\n"
	      "\t\t[[ $n == 2 ]] && verb=$word\n"
	      "\tdone\n"
	      "\tif [[ $cur == --*=* ]]; then prev=${cur%%=*}; fi\n",
	      stdout);
	put_tables();
	fputs("\tif [[ $prev == --* ]]; then\n"
	      "\t\tcompset -P '*='\n\t\tcompadd -- ${=values}\n\t\treturn\n"
	      "\tfi\n"
	      "\tif [[ $cur == -* ]]; then\n"
	      "\t\tnames=(${=opts} ${=global})\n"
	      "\t\tcompadd -S '' -- ${(M)names:#*=}\n"
	      "\t\tcompadd -- ${names:#*=}\n\t\treturn\n"
	      "\tfi\n"
	      "\tif ((n == 0)); then compadd -- ${=objects}; return; fi\n"
	      "\tif ((n == 1)); then compadd -- ${=verbs}; fi\n"
	      "\tcase $arg in\n"
	      "\t-file) _files ;;\n"
	      "\t-shell) compadd -- bash zsh fish ;;\n"
	      "\t?*)\n"
	      "\t\tnames=(${(f)\"$(daectl $arg --tsv --no-legend "
	      "2>/dev/null)\"})\n"
	      "\t\tcompadd -- ${names%%$'\\t'*} ;;\n"
	      "\tesac\n"
	      "}\n_daectl \"$@\"\n",
	      stdout);
}

static void put_fish_option(const char *object, int i)
{
	const struct daectl_option *o = &daectl_options[i];

	printf("complete -c daectl");
	if (object)
		printf(" -n '__fish_seen_subcommand_from %s'", object);
	printf(" -l %s", o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->arg && o->arg[0] != '[')
		printf(" -x");
	if (o->values)
		printf(" -a '%s'", o->values);
	printf(" -d '%s'\n", o->help);
}

static void put_fish_command(const struct daectl_command *c, bool first)
{
	uint64_t mask = c->options;

	if (first && !c->verb)
		printf("complete -c daectl -n __fish_use_subcommand -a %s "
		       "-d '%s'\n",
		       c->object, c->help);
	else if (first)
		printf("complete -c daectl -n __fish_use_subcommand -a %s\n",
		       c->object);
	if (c->verb)
		printf("complete -c daectl -n '__fish_seen_subcommand_from "
		       "%s' -a %s -d '%s'\n",
		       c->object, c->verb, c->help);
	for (int i = 0; i < OPT_COUNT; i++)
		if (mask & OPT(i))
			put_fish_option(c->verb ? c->verb : c->object, i);
	if (c->arg == ARG_FILE)
		printf("complete -c daectl -n '__fish_seen_subcommand_from "
		       "%s' -F\n",
		       c->object);
	else if (c->arg == ARG_SHELL)
		printf("complete -c daectl -n '__fish_seen_subcommand_from "
		       "%s' -a 'bash zsh fish'\n",
		       c->object);
	else if (c->arg != ARG_NONE)
		printf("complete -c daectl -n '__fish_seen_subcommand_from "
		       "%s' -a '(daectl %s --tsv --no-legend 2>/dev/null | "
		       "cut -f1)'\n",
		       c->verb ? c->verb : c->object, arg_list(c->arg));
}

static void put_fish(void)
{
	printf(shell_head, "fish");
	puts("complete -c daectl -f");
	for (int i = 0; i < OPT_GLOBAL_COUNT; i++)
		put_fish_option(NULL, i);
	for (size_t i = 0; i < daectl_command_count; i++)
		put_fish_command(&daectl_commands[i], is_first(i));
}

int run_completion(struct daectl *d)
{
	static const struct {
		const char *shell;
		void (*put)(void);
	} shells[] = { { "bash", put_bash },
		       { "zsh", put_zsh },
		       { "fish", put_fish } };

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		if (strcmp(shells[i].shell, d->args[0]) == 0) {
			shells[i].put();
			return CTL_EXIT_OK;
		}
	}
	return out_usage("bash, zsh or fish, not '%s'", d->args[0]);
}
