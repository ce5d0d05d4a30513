/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing every trace; needs no running supervisor and can be run twice. */
#pragma once

#include "supervisor/datapath/datapath.h"

/*
 * Pins under @pin_dir (and the directory), links, clsact filters of ours on all
 * interfaces and a clsact qdisc that only we used, rules and routes, sysctls
 * saved in @saved_path. Either may be NULL. Goes on after an error and returns
 * the first.
 */
int datapath_cleanup(const char *pin_dir, const char *saved_path,
		     struct datapath_error *ret_err);
/* Programs that an earlier process with other interfaces left behind: off all
 * but those in @keep. */
int datapath_sweep(const char *pin_dir, const uint32_t *keep, size_t count,
		   struct datapath_error *ret_err);
