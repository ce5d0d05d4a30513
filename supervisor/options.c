/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

enum {
	OPT_RUNTIME = 256,
	OPT_STATE,
	OPT_BPF,
	OPT_LIBEXEC,
	OPT_USER,
	OPT_CHECK,
	OPT_CLEANUP,
	OPT_DOCTOR
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME },
	{ "state-dir", required_argument, NULL, OPT_STATE },
	{ "bpf-dir", required_argument, NULL, OPT_BPF },
	{ "libexec", required_argument, NULL, OPT_LIBEXEC },
	{ "worker-user", required_argument, NULL, OPT_USER },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "cleanup", no_argument, NULL, OPT_CLEANUP },
	{ "doctor", no_argument, NULL, OPT_DOCTOR },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	int opt;
	size_t offset;
} strings[] = {
	{ 'c', offsetof(struct options, config) },
	{ OPT_RUNTIME, offsetof(struct options, runtime_dir) },
	{ OPT_STATE, offsetof(struct options, state_dir) },
	{ OPT_BPF, offsetof(struct options, bpf_dir) },
	{ OPT_LIBEXEC, offsetof(struct options, libexec) },
	{ OPT_USER, offsetof(struct options, worker_user) },
}, flags[] = {
	{ OPT_CHECK, offsetof(struct options, check) },
	{ OPT_CLEANUP, offsetof(struct options, cleanup) },
	{ OPT_DOCTOR, offsetof(struct options, doctor) },
	{ 'V', offsetof(struct options, version) },
	{ 'h', offsetof(struct options, help) },
};

static int apply(struct options *o, int opt)
{
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (strings[i].opt == opt) {
			memcpy((char *)o + strings[i].offset, &optarg,
			       sizeof(optarg));
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].opt == opt) {
			*(bool *)((char *)o + flags[i].offset) = true;
			return 0;
		}
	return -EINVAL; /* getopt has said what is wrong */
}

int options_parse(struct options *ret, int argc, char **argv)
{
	struct options o = {
		.config = "/etc/dae-supervisor/config.dae",
		.runtime_dir = "/run/dae-supervisor",
		.state_dir = "/var/lib/dae-supervisor",
		.bpf_dir = "/sys/fs/bpf/dae-supervisor",
		.libexec = "/usr/libexec/dae-supervisor",
		.worker_user = "_dae-worker",
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:Vh", longs, NULL)) != -1)
		if (apply(&o, c) < 0)
			return -EINVAL;
	if (optind < argc) {
		fprintf(stderr, "dae-supervisor: unexpected argument '%s'\n",
			argv[optind]);
		return -EINVAL;
	}
	*ret = o;
	return 0;
}

void options_help(void)
{
	fputs("usage: dae-supervisor [-c FILE] [OPTION]...\n"
	      "  -c, --config FILE    configuration "
	      "(/etc/dae-supervisor/config.dae)\n"
	      "  --runtime-dir DIR    control socket (/run/dae-supervisor)\n"
	      "  --state-dir DIR      saved state (/var/lib/dae-supervisor)\n"
	      "  --bpf-dir DIR        pins on bpffs "
	      "(/sys/fs/bpf/dae-supervisor)\n"
	      "  --libexec DIR        dae-worker "
	      "(/usr/libexec/dae-supervisor)\n"
	      "  --worker-user NAME   who workers run as (_dae-worker)\n"
	      "  --check              check the configuration and exit\n"
	      "  --cleanup            remove every trace in the kernel, exit\n"
	      "  --doctor             what of this kernel helps or hinders\n"
	      "  -V, --version  -h, --help\n",
	      stdout);
}
