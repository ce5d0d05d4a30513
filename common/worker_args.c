/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/worker_args.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/msg.h"
#include "common/text.h"

enum arg {
	ARG_ROLE,
	ARG_GENERATION,
	ARG_UID,
	ARG_GID,
	ARG_PARENT,
	ARG_DATA,
	ARG_FILES,
	ARG_COUNT
};

static const struct {
	const char *name;
	uint64_t max;
} args_known[] = {
	[ARG_ROLE] = { "--role", 0 },
	[ARG_GENERATION] = { "--generation", UINT32_MAX },
	[ARG_UID] = { "--uid", UINT32_MAX },
	[ARG_GID] = { "--gid", UINT32_MAX },
	[ARG_PARENT] = { "--parent", INT32_MAX },
	[ARG_DATA] = { "--rlimit-data", UINT64_MAX },
	[ARG_FILES] = { "--rlimit-nofile", UINT32_MAX },
};
static_assert(ARRAY_LEN(args_known) == ARG_COUNT, "name the argument");
static_assert(2 * ARG_COUNT + 2 <= WORKER_ARGC_MAX, "room for all arguments");

static const char *const role_names[] = {
	[ROLE_NONE] = "none",
	[ROLE_PROBE] = "probe",
};
static_assert(ARRAY_LEN(role_names) == WORKER_ROLE_COUNT, "name the role");

void worker_args_format(const struct worker_args *args, struct worker_argv *ret)
{
	const uint64_t value[] = {
		[ARG_GENERATION] = args->generation,
		[ARG_UID] = args->uid,
		[ARG_GID] = args->gid,
		[ARG_PARENT] = (uint64_t)args->parent,
		[ARG_DATA] = args->data_bytes,
		[ARG_FILES] = args->files,
	};
	const size_t cap = sizeof(ret->text[0]);
	int n = 0;

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->text[n++], cap, "dae-worker");
	for (int a = 0; a < ARG_COUNT; a++) {
		snprintf(ret->text[n++], cap, "%s", args_known[a].name);
		if (a == ARG_ROLE)
			snprintf(ret->text[n++], cap, "%s",
				 role_names[args->role]);
		else
			snprintf(ret->text[n++], cap, "%llu",
				 (unsigned long long)value[a]);
	}
	for (int i = 0; i < n; i++)
		ret->argv[i] = ret->text[i];
}

static int find_arg(const char *name)
{
	for (int a = 0; a < ARG_COUNT; a++)
		if (strcmp(name, args_known[a].name) == 0)
			return a;
	return -EINVAL;
}

static int parse_role(const char *text, uint64_t *ret)
{
	for (unsigned int i = ROLE_NONE + 1; i < WORKER_ROLE_COUNT; i++) {
		if (strcmp(text, role_names[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

int worker_args_parse(int argc, char *const *argv, struct worker_args *ret)
{
	uint64_t value[ARG_COUNT];
	unsigned int seen = 0;
	int a, r;

	if (argc != 2 * ARG_COUNT + 1)
		return -EINVAL;
	for (int i = 1; i < argc; i += 2) {
		a = find_arg(argv[i]);
		if (a < 0 || seen & (1U << a))
			return -EINVAL;
		seen |= 1U << a;
		if (a == ARG_ROLE)
			r = parse_role(argv[i + 1], &value[a]);
		else
			r = text_parse_uint(argv[i + 1], args_known[a].max,
					    &value[a]);
		if (r < 0)
			return -EINVAL;
	}
	*ret = (struct worker_args){
		.role = (uint8_t)value[ARG_ROLE],
		.generation = (uint32_t)value[ARG_GENERATION],
		.uid = (uid_t)value[ARG_UID],
		.gid = (gid_t)value[ARG_GID],
		.parent = (pid_t)value[ARG_PARENT],
		.data_bytes = value[ARG_DATA],
		.files = (uint32_t)value[ARG_FILES],
	};
	return 0;
}
