/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

enum log_level log_max_level = LOGL_INFO;

static const char *log_ident = "";
static bool is_journal;

/* sd-daemon(3) prefixes: err, warning, info, debug, debug. */
static const char level_digits[] = "34677";
static const char *const level_names[] = { "error", "warn", "info", "debug",
					   "trace" };

/* JOURNAL_STREAM names the device and inode of the stderr systemd gave us. */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!env || sscanf(env, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void log_init(const char *ident)
{
	const char *level = getenv("DAE_LOG_LEVEL");

	log_ident = ident;
	is_journal = stderr_is_journal();
	for (size_t i = 0; level && i < ARRAY_LEN(level_names); i++)
		if (strcmp(level, level_names[i]) == 0)
			log_max_level = (enum log_level)i;
}

static size_t line_begin(char *line, size_t cap, enum log_level level)
{
	int n;

	if (is_journal)
		n = snprintf(line, cap, "<%c>", level_digits[level]);
	else if (*log_ident)
		n = snprintf(line, cap, "%s: ", log_ident);
	else
		n = 0;
	return n < 0 ? 0 : MIN((size_t)n, cap - 1);
}

/* One write, so that lines of several processes do not mix. */
static void line_end(char *line, size_t cap, size_t len)
{
	ssize_t n;

	len = MIN(len, cap - 2);
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[len++] = '\n';
	do {
		n = write(STDERR_FILENO, line, len);
	} while (n < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	int saved = errno;
	size_t len;
	va_list ap;
	int n;

	if (level > log_max_level)
		return;
	len = line_begin(line, sizeof(line), level);
	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	if (n > 0)
		len += (size_t)n;
	line_end(line, sizeof(line), len);
	errno = saved;
}

int log_err_r(int r, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_write(LOGL_ERROR, "%s: %s", text, strerror(-r));
	return r;
}
