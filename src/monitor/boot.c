/* `isomorph boot`: from a configuration to a running machine and its exit code. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "migrate/snapshot.h"
#include "monitor/image.h"
#include "monitor/layers.h"
#include "monitor/places.h"
#include "monitor/session.h"

/* The machine file's path and text (to be freed), or NULL. */
static char *
machine_file(const char *name, char path[PATH_MAX], struct error *error)
{
	return places_file(PLACE_MACHINE, name, "machine.json", false, path, error) ? NULL : places_read(path, 1 << 20, NULL);
}

static int
take_kept(struct isomorph_config *config, const char *text, const char *path, struct error *error)
{
	cJSON *document = cJSON_Parse(text);
	int failed = config_take(config, document, path, error);

	config->kept = cJSON_Duplicate(config->document, true);
	cJSON_Delete(document);
	return failed;
}

int
isomorph_config_load(struct isomorph_config *config, const char *name, char *error)
{
	struct error why = { 0 };
	char path[PATH_MAX], *text = NULL;
	int failed = -1;

	if (!config_set(config, "name", name, &why) && !(text = machine_file(name, path, &why)))
		error_set(&why, 0, "there is no machine %s (no %s); `isomorph list --all` shows those that are", name, path);
	if (text)
		failed = take_kept(config, text, path, &why);
	free(text);
	if (failed)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return failed;
}

/* A machine of an image is there already: it keeps what it was, and what is said now is
 * added. One without an image is what the options say, nothing else is left of it; one
 * that goes on from a snapshot is what it was then. */
static int
join_kept(struct isomorph_config *config, struct error *error)
{
	struct isomorph_config *kept;
	char path[PATH_MAX], *text;
	const char *image;
	int failed = 0;

	if (!config->image || config->kept || config->snapshot || !(text = machine_file(config->machine.name, path, error)))
		return error->set ? -1 : 0;
	kept = isomorph_config_new();
	if (!kept)
		fatal("out of memory for a machine's options");
	image = config->image;
	failed = take_kept(kept, text, path, error);
	if (!failed && kept->image && !image_is_same(kept->image, image))
		failed = error_set(error, 0, "the machine %s has the image %s; --name gives another", config->machine.name,
				   kept->image);
	if (!failed && kept->image && !config_take(kept, config->document, "the command line", error))
		config_swap(config, kept);
	isomorph_config_free(kept);
	free(text);
	return error->set ? -1 : failed;
}

/* What was not said. */
static int
set_defaults(struct isomorph_config *config, struct error *error)
{
	struct machine_config *m = &config->machine;
	const struct machine_type *type;

	m->arch = m->arch ? m->arch : "riscv64";
	m->type = m->type ? m->type : "virt";
	m->cpus = m->cpus ? m->cpus : 1;
	config->cpu.stats = config->stats;
	if (!m->nets && !m->bare)
		m->net[m->nets++] = (struct machine_net){ .kind = "user" };
	type = machine_type_find(m->arch, m->type);
	if (!type)
		return error_set(error, 0, "there is no machine %s of %s; riscv64 has virt", m->type, m->arch);
	if (!m->kernel && !m->firmware && !m->bare && !config->image)
		return error_set(error, 0, "what is to boot? --image, --kernel, --firmware or --bare says it");
	if (m->signature && !m->bare)
		return error_set(error, 0, "--signature is of a bare-metal program: --bare names it");
	if (config->detach && !m->name && !config->image)
		return error_set(error, 0, "--detach needs a --name to find the machine by");
	return 0;
}

static int
restore_layers(struct isomorph_config *config, struct error *error)
{
	struct snapshot *snapshot = snapshot_open(config->snapshot, error);
	int failed = -1;

	if (snapshot)
		failed = layers_restore(config, cJSON_GetObjectItemCaseSensitive(snapshot_about(snapshot), "disks"), error);
	snapshot_close(snapshot);
	return failed;
}

/* What options stand for: images, seeds, the board's default of memory. */
static int
prepare(struct isomorph_config *config, struct error *error)
{
	struct machine_config *m = &config->machine;
	char path[PATH_MAX];

	if (config->image && image_prepare(config, error))
		return -1;
	if (config->user_data && seed_prepare(config, error))
		return -1;
	m->memory = m->memory ? m->memory : machine_type_find(m->arch, m->type)->default_memory;
	if (!m->name)
		return m->vsock_cid ? error_set(error, EINVAL, "--vsock needs a --name: its socket is in the machine's folder") : 0;
	if (m->vsock_cid) {
		if (places_file(PLACE_RUN, m->name, "vsock", true, path, error))
			return -1;
		m->vsock_path = config_copy(config, path);
	}
	return config->snapshot ? restore_layers(config, error) : layers_apply(config, error);
}

/* Keeps a named machine's description. */
static int
keep(const struct isomorph_config *config, struct error *error)
{
	char path[PATH_MAX], *text;
	int failed;

	if (places_file(PLACE_MACHINE, config->machine.name, "machine.json", true, path, error))
		return -1;
	text = config_text(config);
	failed = text ? places_write(path, text, error) : error_set(error, ENOMEM, "out of memory");
	free(text);
	return failed;
}

/* Puts a snapshot into the machine, which was started paused. */
static int
go_on_from(const char *folder, struct machine *machine, struct error *error)
{
	struct snapshot *snapshot = snapshot_open(folder, error);
	int failed = snapshot ? snapshot_restore(snapshot, machine, error) : -1;

	snapshot_close(snapshot);
	if (!failed)
		machine_resume(machine);
	return failed;
}

/* Tells the process that waits that all is well. */
static void
tell_ready(int fd)
{
	if (write(fd, "", 1) == 1)
		close(fd);
}

/* --stats: what the run cost. */
static void
print_stats(struct machine *machine)
{
	struct timespec now = { 0 };
	struct cpu_stats s = { 0 };
	double all, translating;

	machine_stats(machine, &s);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	all = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	translating = (double)s.translate_ns / 1e9;
	fprintf(stderr, "isomorph boot: %.2f s of processor time, %.2f of it translating\n", all, translating);
	fprintf(stderr, "isomorph boot: %llu regions, %llu guest instructions translated, %llu bytes of code, %llu cold\n",
		(unsigned long long)s.regions, (unsigned long long)s.guest_insns, (unsigned long long)s.host_bytes,
		(unsigned long long)s.cold_bytes);
	fprintf(stderr, "isomorph boot: %llu lookups, %llu links, %llu invalidated, %llu flushes, %llu interpreted\n",
		(unsigned long long)s.lookups, (unsigned long long)s.links, (unsigned long long)s.invalidated,
		(unsigned long long)s.flushes, (unsigned long long)s.interpreted);
}

/* The machine's life, from nothing to its end. ready: a descriptor that is told
 * when it runs, and then there is no terminal; or -1. */
static enum machine_end
live(struct isomorph_config *config, int ready, int *status, enum session_ended *ended, struct error *error)
{
	enum machine_end end = MACHINE_FAILED;
	struct machine *machine = NULL;
	struct session session;

	if (session_open(&session, config, ready < 0, error) || !(machine = machine_new(&config->machine, error)) ||
	    machine_start(machine, error) || (config->snapshot && go_on_from(config->snapshot, machine, error)))
		goto out;
	if (session_start(&session, machine, error)) {
		machine_stop(machine);
		machine_wait(machine, status, NULL);
		goto out;
	}
	if (ready >= 0)
		tell_ready(ready);
	end = machine_wait(machine, status, error);
	*ended = session.ended;
	if (config->stats)
		print_stats(machine);
out:
	session_stop(&session);
	machine_free(machine);
	session_close(&session);
	return end;
}

static int
exit_code(const struct isomorph_config *config, enum machine_end end, enum session_ended ended, int status,
	  const struct error *error)
{
	int code = ISOMORPH_EXIT_STATUS + (status < 0 || status > 255 - ISOMORPH_EXIT_STATUS ? 255 - ISOMORPH_EXIT_STATUS :
											      status);

	switch (end) {
	case MACHINE_POWEROFF:
		if (!status)
			return ISOMORPH_EXIT_OFF;
		fprintf(stderr, "isomorph boot: the guest powered off with code %d\n", status);
		return code;
	case MACHINE_BARE:
		if (!status)
			return ISOMORPH_EXIT_OFF;
		fprintf(stderr, "isomorph boot: %s: test %d failed\n", config->machine.bare, status);
		return code;
	case MACHINE_RESET:
		fputs("isomorph boot: the guest resets again and again\n", stderr);
		return ISOMORPH_EXIT_RESET;
	case MACHINE_PANIC:
		fputs("isomorph boot: the guest says that it crashed\n", stderr);
		return ISOMORPH_EXIT_PANIC;
	case MACHINE_STOPPED:
		if (ended == SESSION_TIMEOUT) {
			fprintf(stderr, "isomorph boot: ended after %u seconds (--timeout)\n", config->timeout);
			return ISOMORPH_EXIT_TIMEOUT;
		}
		fputs("isomorph boot: ended from outside\n", stderr);
		return ISOMORPH_EXIT_STOPPED;
	case MACHINE_FAILED:
		break;
	}
	fprintf(stderr, "isomorph boot: %s\n", error->text);
	return ISOMORPH_EXIT_FAILED;
}

/* ---- in the background ------------------------------------------------------- */

/* Becomes a process of its own; its standard error goes to the machine's log
 * once the starter no longer waits. Returns -1 in the new process, the exit code
 * in the starter. */
static int
background(const char *name, int *fd, struct error *error)
{
	char path[PATH_MAX], byte;
	int pipes[2], null, log;
	pid_t child;

	if (places_file(PLACE_RUN, name, "log", true, path, error) || pipe2(pipes, O_CLOEXEC))
		goto fail;
	child = fork();
	if (child > 0) {
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) == 1)
			return 0;
		log = open(path, O_RDONLY | O_CLOEXEC);
		for (char text[512]; (null = (int)read(log, text, sizeof text)) > 0;)
			terminal_write(STDERR_FILENO, text, (size_t)null);
		return ISOMORPH_EXIT_FAILED;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (child || setsid() < 0 || null < 0 || log < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0)
		goto fail;
	close(pipes[0]);
	*fd = pipes[1];
	return -1;
fail:
	error_set(error, errno, "cannot go to the background: %s", strerror(errno));
	return ISOMORPH_EXIT_FAILED;
}

int
isomorph_boot(struct isomorph_config *config)
{
	struct error error = { 0 };
	enum session_ended ended = SESSION_RUNS;
	enum machine_end end = MACHINE_FAILED;
	const char *name;
	int lock = -1, status = 0, ready = -1, code;

	if (config->image && (image_name(config, &error) || join_kept(config, &error)))
		goto out;
	if (set_defaults(config, &error)) {
		fprintf(stderr, "isomorph boot: %s\n", error.text);
		return ISOMORPH_EXIT_USAGE;
	}
	name = config->machine.name;
	/* The lock first: what is prepared is this machine's alone. */
	if ((name && (lock = places_lock(name, &error)) < 0) || prepare(config, &error) ||
	    (name && !config->snapshot && keep(config, &error)))
		goto out;
	if (config->detach) {
		code = background(name, &ready, &error);
		if (code >= 0 && !error.set)
			return code;
		if (code >= 0)
			goto out;
	}
	end = live(config, ready, &status, &ended, &error);
out:
	code = exit_code(config, end, ended, status, &error);
	if (lock >= 0)
		close(lock);
	return code;
}
