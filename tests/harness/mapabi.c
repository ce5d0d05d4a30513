/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapabi PATH [N]: print the ABI number in the pinned control map at PATH, or
 * make it N, as if another version had made the map.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bpf/dae_maps.h"

int main(int argc, char **argv)
{
	struct dae_control c;
	__u32 key = 0;
	int fd;

	if (argc < 2)
		return 2;
	fd = bpf_obj_get(argv[1]);
	if (fd < 0 || bpf_map_lookup_elem(fd, &key, &c) < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	if (argc < 3) {
		printf("%u\n", c.abi);
		return 0;
	}
	c.abi = (__u32)strtoul(argv[2], NULL, 10);
	return bpf_map_update_elem(fd, &key, &c, BPF_ANY) < 0;
}
