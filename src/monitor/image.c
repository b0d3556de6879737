/* Images. --image: a base image, made once, and an overlay of it for each machine.
 *
 * images/debian-SUITE-ARCH/ holds root.img, kernel, initrd and image.json, which
 * is written last: tools/debian-image builds it. machines/NAME/disk.qcow2 is the
 * overlay; base images never change once they are there.
 */
#include "monitor/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/disk/image.h"
#include "backend/disk/qcow2.h"
#include "monitor/places.h"

#define SUITE "trixie" /* Debian's stable when this was written */

/* What an image's name says. */
struct image_parts {
	char suite[32];
	char debian_arch[16];
	char folder[80]; /* below images/ */
};

/* arch NULL: riscv64. */
static int
parse_name(const char *text, const char *arch, struct image_parts *name, struct error *error)
{
	const char *suite = SUITE;

	if (strncmp(text, "debian", 6) || (text[6] && text[6] != ':'))
		return error_set(error, 0, "--image %s: there is no such image; debian and debian:SUITE are known", text);
	if (text[6])
		suite = text + 7;
	if (!*suite || strlen(suite) >= sizeof name->suite || suite[strspn(suite, "abcdefghijklmnopqrstuvwxyz-")])
		return error_set(error, 0, "--image %s: a suite's name is wanted, such as debian:trixie", text);
	arch = arch ? arch : "riscv64";
	if (strcmp(arch, "riscv64") != 0)
		return error_set(error, 0, "--image %s: there are images for riscv64 only", text);
	text_format(name->suite, sizeof name->suite, "%s", suite);
	text_format(name->debian_arch, sizeof name->debian_arch, "%s", arch);
	text_format(name->folder, sizeof name->folder, "debian-%s-%s", suite, arch);
	return 0;
}

/* ---- building ------------------------------------------------------------------- */

/* Where the builder is: beside this program when installed, in tools/ of the
 * source tree when in its build folder. */
static int
find_builder(char self[PATH_MAX], char builder[PATH_MAX], struct error *error)
{
	static const char *const places[] = { "debian-image", "../tools/debian-image" };
	ssize_t length = readlink("/proc/self/exe", self, PATH_MAX - 1);
	char *slash;

	self[length > 0 ? length : 0] = 0;
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(places); i++) {
		text_format(builder, PATH_MAX, "%.*s/%s", (int)(slash - self), self, places[i]);
		if (!access(builder, X_OK))
			return 0;
	}
	return error_set(error, ENOENT, "debian-image, which builds images, was not found beside %s; `make install` installs it",
			 self);
}

static int
build(const struct image_parts *name, const char *folder, struct error *error)
{
	char self[PATH_MAX], builder[PATH_MAX];
	int status;
	pid_t child;

	if (find_builder(self, builder, error))
		return -1;
	child = fork();
	if (!child) {
		setenv("ISOMORPH", self, 1);
		execl(builder, builder, name->debian_arch, name->suite, folder, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return error_set(error, errno, "%s cannot be started: %s", builder, strerror(errno));
	if (status)
		return error_set(error, 0, "the image debian:%s could not be built (see above)", name->suite);
	return 0;
}

/* The image's folder; built when it is missing. */
static int
need(const struct image_parts *name, char folder[PATH_MAX], struct error *error)
{
	char mark[PATH_MAX];

	if (places_path(PLACE_IMAGE, NULL, true, folder, error) ||
	    places_path(PLACE_IMAGE, name->folder, false, folder, error) ||
	    places_file(PLACE_IMAGE, name->folder, "image.json", false, mark, error))
		return -1;
	return access(mark, R_OK) ? build(name, folder, error) : 0;
}

/* ---- a machine's part ------------------------------------------------------------- */

static int
make_overlay(const char *path, const char *base, struct error *error)
{
	struct stat st;

	if (!access(path, F_OK))
		return 0;
	if (stat(base, &st))
		return error_set(error, errno, "%s: %s", base, strerror(errno));
	return qcow2_create(path, (uint64_t)st.st_size, base, "raw", error);
}

static const char *
in_folder(struct isomorph_config *config, const char *folder, const char *file)
{
	char path[PATH_MAX];

	text_format(path, sizeof path, "%s/%s", folder, file);
	return config_copy(config, path);
}

bool
image_is_same(const char *a, const char *b)
{
	struct image_parts first, second;

	return !parse_name(a, NULL, &first, NULL) && !parse_name(b, NULL, &second, NULL) &&
	       !strcmp(first.suite, second.suite);
}

int
image_name(struct isomorph_config *config, struct error *error)
{
	struct image_parts name;
	char text[64];

	if (config->machine.name)
		return 0;
	if (parse_name(config->image, config->machine.arch, &name, error))
		return -1;
	text_format(text, sizeof text, "debian-%s", name.suite);
	return config_set(config, "name", text, error);
}

int
image_prepare(struct isomorph_config *config, struct error *error)
{
	struct machine_config *m = &config->machine;
	char folder[PATH_MAX], overlay[PATH_MAX], text[PATH_MAX];
	struct image_parts name;

	if (parse_name(config->image, m->arch, &name, error) || need(&name, folder, error))
		return -1;
	if (m->disks == MACHINE_DISKS)
		return error_set(error, 0, "--image: a machine has at most %d disks", MACHINE_DISKS);
	if (places_file(PLACE_MACHINE, m->name, "disk.qcow2", true, overlay, error) ||
	    make_overlay(overlay, in_folder(config, folder, "root.img"), error))
		return -1;
	memmove(&m->disk[1], &m->disk[0], m->disks++ * sizeof m->disk[0]);
	m->disk[0] = (struct machine_disk){ .path = config_copy(config, overlay), .format = "qcow2" };
	if (!m->memory)
		m->memory = UINT64_C(1) << 30;
	if (m->firmware || m->kernel)
		return 0;
	m->kernel = in_folder(config, folder, "kernel");
	m->initrd = m->initrd ? m->initrd : in_folder(config, folder, "initrd");
	text_format(text, sizeof text, "root=/dev/vda console=ttyS0%s%s", m->append ? " " : "", m->append ? m->append : "");
	m->append = config_copy(config, text);
	return 0;
}

/* ---- isomorph image ------------------------------------------------------------------ */

int
isomorph_image_make(const char *image, const char *arch, char *error)
{
	struct error why = { 0 };
	char folder[PATH_MAX];
	struct image_parts name;

	if (!parse_name(image, arch, &name, &why) && !need(&name, folder, &why))
		return 0;
	text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return -1;
}

struct each {
	void (*call)(void *to, const char *name, const char *path, bool whole);
	void *to;
};

static void
each_folder(void *to, const char *name)
{
	struct each *each = to;
	char mark[PATH_MAX], path[PATH_MAX];

	if (!places_path(PLACE_IMAGE, name, false, path, NULL) &&
	    !places_file(PLACE_IMAGE, name, "image.json", false, mark, NULL))
		each->call(each->to, name, path, !access(mark, R_OK));
}

int
isomorph_image_each(void (*call)(void *to, const char *name, const char *path, bool whole), void *to)
{
	struct each each = { call, to };

	return places_each(PLACE_IMAGE, each_folder, &each, NULL);
}

/* A machine whose overlay stands on the image. */
struct user {
	const char *base;
	char name[64];
};

static void
look_at_machine(void *to, const char *name)
{
	struct user *user = to;
	char path[PATH_MAX], head[4096] = "";
	FILE *file;

	if (places_file(PLACE_MACHINE, name, "disk.qcow2", false, path, NULL) || !(file = fopen(path, "re")))
		return;
	/* The backing file's name stands in the header's cluster. */
	if (fread(head, 1, sizeof head, file) == sizeof head &&
	    memmem(head, sizeof head, user->base, strlen(user->base)))
		text_format(user->name, sizeof user->name, "%s", name);
	fclose(file);
}

int
isomorph_image_remove(const char *name, char *error)
{
	struct error why = { 0 };
	char folder[PATH_MAX], base[PATH_MAX];
	struct user user = { .base = base };

	if (!*name || strchr(name, '/') || name[0] == '.' || places_path(PLACE_IMAGE, name, false, folder, &why) ||
	    places_file(PLACE_IMAGE, name, "root.img", false, base, &why) || access(folder, F_OK))
		error_set(&why, ENOENT, "there is no image %s; `isomorph image list` shows those that are", name);
	if (!why.set)
		places_each(PLACE_MACHINE, look_at_machine, &user, &why);
	if (user.name[0])
		error_set(&why, EBUSY, "the machine %s uses the image %s; `isomorph remove %s` first", user.name, name, user.name);
	if (!why.set)
		places_remove(folder, &why);
	if (why.set)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return why.set ? -1 : 0;
}

/* What stands in a new image's header: an absolute path, so that the image can be
 * moved. */
static int
create_on(const char *path, uint64_t size, const char *base, struct error *error)
{
	struct image *image = image_open(base, NULL, true, NULL, error);
	char *whole = realpath(base, NULL);
	int failed = -1;

	if (image && !whole)
		error_set(error, errno, "%s: %s", base, strerror(errno));
	if (image && whole && size && size < image->size)
		error_set(error, EINVAL, "%s has %llu bytes: an image on top of it cannot be smaller", base,
			  (unsigned long long)image->size);
	else if (image && whole)
		failed = qcow2_create(path, size ? size : image->size, whole, image->format->name, error);
	image_close(image);
	free(whole);
	return failed;
}

int
isomorph_image_create(const char *path, unsigned long long size, const char *base, char *error)
{
	struct error why = { 0 };
	int failed = base ? create_on(path, size, base, &why) : qcow2_create(path, size, NULL, NULL, &why);

	if (failed)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return failed ? -1 : 0;
}
