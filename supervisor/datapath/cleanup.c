/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/error.h"
#include "supervisor/datapath/fence.h"
#include "supervisor/datapath/host.h"
#include "supervisor/datapath/maps.h"
#include "supervisor/datapath/policy.h"

#define LINK_PREFIX "link-"

static void note(int *first, int r, struct datapath_error *err,
		 const char *what)
{
	if (r >= 0 || *first < 0)
		return;
	*first = error_set(err, r, "cleanup: %s", what);
}

static bool is_map(const char *name)
{
	int i;

	for (i = 0; i < MAP_COUNT; i++)
		if (strcmp(name, maps_name((enum shared_map)i)) == 0)
			return true;
	return false;
}

/* Remove what we know by name; somebody else's pins stay, and the folder. */
static int remove_pin(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (strncmp(name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0 ||
	    strncmp(name, FENCE_PIN_PREFIX, strlen(FENCE_PIN_PREFIX)) == 0 ||
	    strncmp(name, HOST_PIN_PREFIX, strlen(HOST_PIN_PREFIX)) == 0)
		return attach_remove_link(path);
	if (is_map(name) && unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int remove_pins(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int r = 0, q;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		q = remove_pin(dir, e->d_name);
		r = r < 0 ? r : q;
		/* the position is undefined after a removal in some file
		 * systems; the second pass below is cheap */
	}
	rewinddir(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			remove_pin(dir, e->d_name);
	closedir(d);
	if (rmdir(dir) < 0 && errno != ENOENT && errno != ENOTEMPTY &&
	    errno != EBUSY && r == 0)
		r = -errno;
	return r;
}

static bool is_kept(uint32_t ifindex, const uint32_t *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] == ifindex)
			return true;
	return false;
}

static int remove_filters(const uint32_t *keep, size_t count)
{
	struct if_nameindex *list = if_nameindex(), *i;
	int r = 0, q;

	if (!list)
		return -errno;
	for (i = list; i->if_index; i++) {
		if (is_kept(i->if_index, keep, count))
			continue;
		q = attach_remove_filter(i->if_index);
		r = r < 0 ? r : q;
	}
	if_freenameindex(list);
	return r;
}

static int remove_links(const char *dir, const uint32_t *keep, size_t count)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	unsigned int ifindex;
	int r = 0, q;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (sscanf(e->d_name, LINK_PREFIX "%u", &ifindex) != 1 ||
		    is_kept(ifindex, keep, count))
			continue;
		q = remove_pin(dir, e->d_name);
		r = r < 0 ? r : q;
	}
	closedir(d);
	return r;
}

int datapath_sweep(const char *pin_dir, const uint32_t *keep, size_t count,
		   struct datapath_error *ret_err)
{
	int first = 0;

	note(&first, remove_filters(keep, count), ret_err, "filters");
	note(&first, remove_links(pin_dir, keep, count), ret_err, pin_dir);
	return first;
}

int datapath_cleanup(const char *pin_dir, const char *saved_path,
		     struct datapath_error *ret_err)
{
	int first = 0;

	error_capture_libbpf();
	/* programs first: from here on packets go their own way */
	note(&first, remove_filters(NULL, 0), ret_err, "filters");
	if (pin_dir)
		note(&first, remove_pins(pin_dir), ret_err, pin_dir);
	note(&first, policy_remove(), ret_err, "rules and routes");
	if (saved_path)
		note(&first, policy_restore_sysctls(saved_path), ret_err,
		     saved_path);
	return first;
}
