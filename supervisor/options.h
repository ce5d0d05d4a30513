/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of dae-supervisor(8). */
#pragma once

#include <stdbool.h>

struct options {
	const char *config;	 /* entry file */
	const char *runtime_dir; /* control socket */
	const char *state_dir;	 /* what survives a reboot */
	const char *bpf_dir;	 /* pins, on bpffs */
	const char *libexec;	 /* where dae-worker is */
	const char *worker_user;
	bool check;   /* parse, check, say so, exit */
	bool cleanup; /* remove every trace in the kernel, exit */
	bool doctor;  /* print findings as JSON lines, exit */
	bool version;
	bool help;
};

#define OPTIONS_EXIT_USAGE 2

/* 0, or -EINVAL after a message to stderr. Strings are of argv or static. */
int options_parse(struct options *ret, int argc, char **argv);
void options_help(void);
