/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of our JSON, as data: which fields each schema has, and of what
 * type. Printed by daectl schema, and held against every answer by the tests.
 * Fields may be added within a major version, never renamed or retyped.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

/* The @i-th schema's name, NULL after the last. */
const char *ctl_schema_name(size_t i);
/* As JSON Schema; NULL if there is none of this name. */
json_t *ctl_schema_json(const char *name);
/* Does @data fit schema @name? 0, -ENOENT (no such schema), or -EINVAL with the
 * field in @why. */
int ctl_schema_check(const char *name, const json_t *data, char *why,
		     size_t cap);
