/* --user-data FILE: a disk that cloud-init's NoCloud source finds by its volume
 * name, cidata, with user-data and meta-data. An ISO image, made by whichever of
 * Debian's tools for that is installed, in a file that has no name any more once
 * the machine has it open. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "monitor/image.h"
#include "monitor/places.h"

static const char *const makers[] = { "genisoimage", "xorrisofs", "mkisofs" };

/* Runs the tool in the folder that has both files; 0 when the image was made. */
static int
run_maker(const char *folder)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		int null = open("/dev/null", O_RDWR);

		if (chdir(folder) || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(1);
		for (size_t i = 0; i < ARRAY_LEN(makers); i++)
			execlp(makers[i], makers[i], "-quiet", "-o", "seed.iso", "-V", "cidata", "-J", "-r", "user-data",
			       "meta-data", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Both files into the folder, and the image of them; its descriptor. */
static int
make_seed(struct isomorph_config *config, const char *folder, const char *text, struct error *error)
{
	static const char *const files[] = { "user-data", "meta-data", "seed.iso" };
	char path[PATH_MAX], meta[256];
	const char *name = config->machine.name ? config->machine.name : "isomorph";
	int fd = -1, made;

	/* Other data is another instance to cloud-init, which then looks at it again. */
	text_format(meta, sizeof meta, "instance-id: %s-%08lx\nlocal-hostname: %s\n", name,
		    crc32_z(0, (const void *)text, strlen(text)), name);
	text_format(path, sizeof path, "%s/user-data", folder);
	if (places_write(path, text, error))
		return -1;
	text_format(path, sizeof path, "%s/meta-data", folder);
	if (places_write(path, meta, error))
		return -1;
	made = run_maker(folder);
	text_format(path, sizeof path, "%s/seed.iso", folder);
	if (made == 127)
		error_set(error, ENOENT, "--user-data: genisoimage is not installed: apt-get install genisoimage (or xorriso)");
	else if (made || (fd = open(path, O_RDONLY)) < 0)
		error_set(error, 0, "--user-data: the volume could not be made of %s", config->user_data);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		text_format(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	return fd;
}

int
seed_prepare(struct isomorph_config *config, struct error *error)
{
	struct machine_config *m = &config->machine;
	char folder[PATH_MAX], path[64], *text;
	int fd = -1;

	if (m->disks == MACHINE_DISKS)
		return error_set(error, 0, "--user-data: a machine has at most %d disks", MACHINE_DISKS);
	text = places_read(config->user_data, 1 << 20, error);
	if (!text)
		return -1;
	if (!places_file(PLACE_RUN, NULL, ".seed-XXXXXX", true, folder, error))
		fd = mkdtemp(folder) ? make_seed(config, folder, text, error) :
				       error_set(error, errno, "%s: %s", folder, strerror(errno));
	rmdir(folder);
	free(text);
	if (fd < 0)
		return -1;
	text_format(path, sizeof path, "/proc/self/fd/%d", fd);
	m->disk[m->disks++] = (struct machine_disk){ .path = config_copy(config, path), .format = "raw", .read_only = true };
	return 0;
}
