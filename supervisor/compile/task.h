/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dae-compile is handed and what it hands back. Everything goes through
 * memory files that the starter made: the request is sealed, the others are
 * empty, and dae-compile fills and seals them. It has no channel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nameset.h"
#include "supervisor/config/config_routing.h"

enum { /* descriptors of dae-compile */
       TASK_FD_REQUEST = 3,
       TASK_FD_REPORT, /* out */
       TASK_FD_RULES,  /* out: the image of common/ruleset.h */
       TASK_FD_NAMES,  /* out: common/nameset.h; a match: in */
       TASK_FD_FILES,  /* the first file of geo data */
};

#define TASK_FILES_MAX 64U
#define TASK_FILE_NAME_MAX 255U
#define TASK_REQUEST_MAX (64U << 20)
#define TASK_REPORT_MAX (16U << 20)
#define TASK_IMAGE_MAX (256U << 20)
#define TASK_NAMES_MAX 100000U /* names to match in one job */
#define TASK_WARNINGS_MAX 64U
#define TASK_TEXT_MAX 4096U /* of one value of a rule */
#define TASK_VERSION 1

enum task_kind {
	TASK_COMPILE = 1, /* rules to images */
	TASK_MATCH = 2,	  /* names against an image */
};

struct task_error {
	struct config_pos pos; /* line 0: not about a line */
	char text[512];	       /* one clean line */
};

/* Borrowed. */
struct task_request {
	enum task_kind kind;
	uint64_t seed; /* of the hash of names */
	const struct config_routing *routing;
	const uint16_t *group_ids;
	size_t group_count;
	const char *const *files; /* names, in the order of the descriptors */
	size_t file_count;
	const char *const *names; /* to be matched */
	size_t name_count;
};

struct task_report {
	bool is_error;
	struct task_error error;
	struct task_error *warnings;
	size_t warning_count;
	uint32_t given_up;	 /* expressions too costly for a name, in all */
	struct dae_bitmap *sets; /* of each name; all zero: none, or no name */
	size_t set_count;
};

/* The file that a value of a rule needs, and the list in it. false: it needs
 * none. @file has TASK_FILE_NAME_MAX + 1 bytes; "" if the value is not well
 * formed (ext without ':', a path). *ret_code points into the value. */
bool task_value_file(const struct rule_value *v, char *file,
		     const char **ret_code);

/* To bytes, for free(). 0; -E2BIG (*ret_err says what is too long), -ENOMEM. */
int task_request_encode(const struct task_request *q, void **ret,
			size_t *ret_len, struct task_error *ret_err);

/* The way back: what it holds is checked and bounded by @len. */
struct task_decoded {
	struct task_request q;
	struct config_routing routing;
	struct arena *arena; /* owns all of it */
};

/* 0, -EBADMSG, -ENOMEM. */
int task_request_decode(const void *data, size_t len, struct task_decoded *ret);
void task_decoded_clear(struct task_decoded *d);

int task_report_encode(const struct task_report *r, void **ret,
		       size_t *ret_len);
/* 0, -EBADMSG, -ENOMEM. Texts are made safe to show. */
int task_report_decode(const void *data, size_t len, struct task_report *ret);
void task_report_clear(struct task_report *r);
