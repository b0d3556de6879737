/* isomorph binfmt: process VMs as the kernel's own way to run programs of other
 * machines (binfmt_misc; Documentation/admin-guide/binfmt-misc.rst).
 *
 * An entry is registered with the flags P (argv[0] as the caller gave it), O (the
 * program comes open, so it need not be readable), C (setuid programs keep their
 * rights) and F (the interpreter is opened now, so it works in every root folder
 * and container). After that a probe, a program that does nothing but exit with a
 * number, shows whether it works; a registration that does not is no success.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define MOUNT "/proc/sys/fs/binfmt_misc"
#define FLAGS "POCF"
#define BOOT_FOLDER "/etc/binfmt.d"

static const char binfmt_help[] =
	"usage: isomorph binfmt install|remove|status [OPTION…] [ARCH…]\n\n"
	"Makes this machine's kernel run programs of other instruction sets by itself,\n"
	"also in containers and root folders (binfmt_misc). Without ARCH: all that are\n"
	"known. install and remove need root.\n\n"
	"  install   registers, keeps it for the next boot, and runs a probe\n"
	"  remove    takes the registration away, also from the next boot\n"
	"  status    what is registered, and whether a probe runs\n\n"
	"  --no-boot   install, remove: leave " BOOT_FOLDER " alone\n"
	"  -h, --help  this text\n\n"
	"Ends with 0 when all that was asked for works, else with 1.\n\n"
	"example: sudo isomorph binfmt install riscv64\n";

/* An ISA: what its ELF files look like, and a program in it that exits with
 * PROBE_STATUS. */
struct arch {
	const char *name;
	uint8_t machine; /* low byte of e_machine; the high one is zero */
	uint32_t code[3];
};

#define PROBE_STATUS 42
#define ELF_HEAD 20 /* bytes that an entry compares */

static const struct arch archs[] = {
	/* li a7, 93; li a0, 42; ecall */
	{ "riscv64", 0xf3, { 0x05d00893, 0x02a00513, 0x00000073 } },
	/* mov x8, #93; mov x0, #42; svc #0 */
	{ "aarch64", 0xb7, { 0xd2800ba8, 0xd2800540, 0xd4000001 } },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct job {
	const struct arch *arch;
	char entry[64];              /* in MOUNT */
	char interpreter[PATH_MAX];  /* "" when there is none */
	bool boot;                   /* BOOT_FOLDER too */
};

/* ---- small files ------------------------------------------------------------ */

/* Writes text at once, as the kernel's files want it. 0 or an errno. */
static int
write_file(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644), code = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		code = errno ? errno : EIO;
	if (close(fd) && !code)
		code = errno;
	return code;
}

/* The file as text, cut to size - 1 bytes. False: it cannot be read. */
static bool
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	return got >= 0;
}

/* ---- the entry --------------------------------------------------------------- */

static void
hex_escape(char *to, const uint8_t *bytes)
{
	for (int i = 0; i < ELF_HEAD; i++)
		sprintf(to + 4 * i, "\\x%02x", bytes[i]);
}

/* What of a file's first bytes an entry looks at: ELF, 64 bits, little-endian,
 * any system ABI and padding, an executable (2) or a position-independent one
 * (3), the machine. */
static void
describe(const struct job *job, char *line, size_t size)
{
	uint8_t magic[ELF_HEAD] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	uint8_t mask[ELF_HEAD];
	char magic_text[4 * ELF_HEAD + 1], mask_text[4 * ELF_HEAD + 1];

	memset(mask, 0xff, sizeof mask);
	memset(mask + 7, 0, 9);
	magic[16] = 2;
	mask[16] = 0xfe;
	magic[18] = job->arch->machine;
	hex_escape(magic_text, magic);
	hex_escape(mask_text, mask);
	snprintf(line, size, ":%s:M::%s:%s:%s:" FLAGS "\n", job->entry, magic_text, mask_text, job->interpreter);
}

/* The program that answers to the guest's name: beside this one. */
static bool
find_interpreter(struct job *job)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	job->interpreter[0] = 0;
	if (length < 0)
		return false;
	self[length] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	if (snprintf(job->interpreter, sizeof job->interpreter, "%s/isomorph-%s", self, job->arch->name) >=
		    (int)sizeof job->interpreter || access(job->interpreter, X_OK)) {
		fprintf(stderr, "isomorph binfmt: %s: not there or not executable; `make` and `make install` put it beside isomorph\n",
			job->interpreter);
		return false;
	}
	return true;
}

/* ---- the probe ---------------------------------------------------------------- */

/* A whole ELF file: header, one segment that holds it all, three instructions. */
static size_t
make_probe(const struct arch *arch, uint8_t *file)
{
	enum { CODE = 120, ADDRESS = 0x10000 };
	static const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	const uint16_t half[] = { 2, arch->machine };
	const uint32_t version = 1, segment[] = { 1, 5 };
	const uint64_t entry[] = { ADDRESS + CODE, 64, 0 };
	const uint16_t sizes[] = { 64, 56, 1, 64, 0, 0 };
	const size_t size = CODE + sizeof arch->code;
	const uint64_t place[] = { 0, ADDRESS, ADDRESS, size, size, 4096 };

	memset(file, 0, size);
	memcpy(file, ident, sizeof ident);
	memcpy(file + 16, half, sizeof half);
	memcpy(file + 20, &version, sizeof version);
	memcpy(file + 24, entry, sizeof entry);
	memcpy(file + 52, sizes, sizeof sizes);
	memcpy(file + 64, segment, sizeof segment);
	memcpy(file + 72, place, sizeof place);
	memcpy(file + CODE, arch->code, sizeof arch->code);
	return size;
}

/* Has the kernel run the probe. NULL when it ran, else why not. */
static const char *
run_probe(const struct arch *arch)
{
	static char why[128];
	uint8_t file[256];
	size_t size = make_probe(arch, file);
	int fd = memfd_create("probe", 0), status = 0;
	char *argv[] = { (char *)"probe", NULL }, *envp[] = { NULL };
	pid_t child;

	if (fd < 0 || write(fd, file, size) != (ssize_t)size || fchmod(fd, 0755) || (child = fork()) < 0) {
		snprintf(why, sizeof why, "a probe cannot be made: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return why;
	}
	if (child == 0) {
		fexecve(fd, argv, envp);
		_exit(errno == ENOEXEC ? 126 : 127);
	}
	close(fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == PROBE_STATUS)
		return NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
		return "the kernel does not know what to do with its programs";
	if (WIFSIGNALED(status))
		snprintf(why, sizeof why, "a probe died of signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof why, "a probe ended with %d instead of %d", WEXITSTATUS(status), PROBE_STATUS);
	return why;
}

/* ---- verbs ---------------------------------------------------------------------- */

/* Makes the kernel's folder appear. */
static bool
mounted(bool mount_it)
{
	int code;

	if (!access(MOUNT "/register", F_OK))
		return true;
	if (mount_it && !mount("binfmt_misc", MOUNT, "binfmt_misc", 0, NULL))
		return true;
	code = errno;
	if (mount_it)
		fprintf(stderr, "isomorph binfmt: cannot mount binfmt_misc at " MOUNT ": %s%s\n", strerror(code),
			code == EPERM ? "; run it as root" : code == ENODEV ? "; the kernel has no binfmt_misc (modprobe binfmt_misc)" : "");
	return false;
}

static void
entry_path(const struct job *job, char *path, size_t size)
{
	snprintf(path, size, MOUNT "/%s", job->entry);
}

static void
boot_path(const struct job *job, char *path, size_t size)
{
	snprintf(path, size, BOOT_FOLDER "/%s.conf", job->entry);
}

static int
unregister(const struct job *job)
{
	char path[128];

	entry_path(job, path, sizeof path);
	if (access(path, F_OK))
		return 0;
	return write_file(path, "-1", 0);
}

/* systemd-binfmt reads it at boot. */
static int
keep_for_boot(const struct job *job, const char *line)
{
	char path[128];
	int code;

	boot_path(job, path, sizeof path);
	if (mkdir(BOOT_FOLDER, 0755) && errno != EEXIST)
		code = errno;
	else
		code = write_file(path, line, O_CREAT | O_TRUNC);
	if (code)
		fprintf(stderr, "isomorph binfmt: %s: cannot be written: %s; the registration ends with this boot\n", path,
			strerror(code));
	return code;
}

static int
install(struct job *job)
{
	char line[PATH_MAX + 8 * ELF_HEAD + 128];
	const char *why;
	int code;

	if (!find_interpreter(job) || !mounted(true))
		return 1;
	describe(job, line, sizeof line);
	code = unregister(job);
	if (!code)
		code = write_file(MOUNT "/register", line, 0);
	if (code) {
		fprintf(stderr, "isomorph binfmt: %s: the kernel refuses the registration: %s%s\n", job->entry, strerror(code),
			code == EACCES || code == EPERM ? "; run it as root" : "");
		return 1;
	}
	why = run_probe(job->arch);
	if (why) {
		fprintf(stderr, "isomorph binfmt: %s: registered, but %s; taken back\n", job->entry, why);
		unregister(job);
		return 1;
	}
	if (job->boot && keep_for_boot(job, line))
		return 1;
	printf("%s: programs run by %s\n", job->arch->name, job->interpreter);
	return 0;
}

static int
remove_entry(struct job *job)
{
	char path[128];
	int code = mounted(false) ? unregister(job) : 0;

	if (code)
		fprintf(stderr, "isomorph binfmt: %s: cannot be removed: %s%s\n", job->entry, strerror(code),
			code == EACCES || code == EPERM ? "; run it as root" : "");
	boot_path(job, path, sizeof path);
	if (job->boot && unlink(path) && errno != ENOENT) {
		fprintf(stderr, "isomorph binfmt: %s: cannot be removed: %s\n", path, strerror(errno));
		code = EIO;
	}
	if (!code)
		printf("%s: not registered\n", job->arch->name);
	return code != 0;
}

/* The line `key value` of an entry's text, "" when it has none. */
static void
line_of(const char *text, const char *key, char *value, size_t size)
{
	const char *at = strstr(text, key);

	value[0] = 0;
	if (at)
		snprintf(value, size, "%.*s", (int)strcspn(at + strlen(key), "\n"), at + strlen(key));
}

static int
status(struct job *job)
{
	char path[128], text[4096], interpreter[PATH_MAX], flags[32];
	const char *why = run_probe(job->arch);

	entry_path(job, path, sizeof path);
	printf("%s: ", job->arch->name);
	if (!read_file(path, text, sizeof text)) {
		printf("%s\n", why ? "not registered" : "not registered, but another program runs its programs");
		return 1;
	}
	line_of(text, "interpreter ", interpreter, sizeof interpreter);
	line_of(text, "flags: ", flags, sizeof flags);
	printf("registered: %s, flags %s; %s%s\n", interpreter, flags, why ? "does not work: " : "a probe runs", why ? why : "");
	return why != NULL;
}

static bool
find_arch(const char *name, const struct arch **arch)
{
	for (size_t i = 0; i < COUNT(archs); i++)
		if (!strcmp(archs[i].name, name))
			return *arch = &archs[i], true;
	return false;
}

static int
run_job(int (*verb)(struct job *), const struct arch *arch, bool boot)
{
	struct job job = { .arch = arch, .boot = boot };

	snprintf(job.entry, sizeof job.entry, "isomorph-%s", arch->name);
	return verb(&job);
}

int
cli_binfmt(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct job *);
	} verbs[] = { { "install", install }, { "remove", remove_entry }, { "status", status } };
	int (*verb)(struct job *) = NULL;
	const struct arch *wanted[COUNT(archs)];
	size_t count = 0;
	bool boot = true;
	int code = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return fputs(binfmt_help, stdout), 0;
		if (!strcmp(argv[i], "--no-boot")) {
			boot = false;
			continue;
		}
		if (argv[i][0] == '-')
			return cli_usage("binfmt", "there is no option %s", argv[i]);
		if (!verb) {
			for (size_t k = 0; k < COUNT(verbs); k++)
				if (!strcmp(verbs[k].name, argv[i]))
					verb = verbs[k].run;
			if (!verb)
				return cli_usage("binfmt", "%s: install, remove or status is wanted", argv[i]);
			continue;
		}
		if (count == COUNT(wanted) || !find_arch(argv[i], &wanted[count]))
			return cli_usage("binfmt", "%s: choose from riscv64, aarch64", argv[i]);
		count++;
	}
	if (!verb)
		return cli_usage("binfmt", "install, remove or status?");
	for (size_t i = 0; i < (count ? count : COUNT(archs)); i++)
		code |= run_job(verb, count ? wanted[i] : &archs[i], boot);
	return code;
}
