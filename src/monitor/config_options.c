/* The options of machines, each with what it does. A new one is a line in the
 * table at the end (and its text in cli/boot.c, the man page and completions,
 * which suite docs compares). */
#include <stddef.h>
#include <string.h>

#include "monitor/config.h"

static int
take_accel(struct isomorph_config *config, const char *value, struct error *error)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "translate") != 0 && strcmp(value, "interpret") != 0 &&
	    strcmp(value, "lockstep") != 0)
		return error_set(error, 0, "--accel %s: choose auto, translate, interpret or lockstep", value);
	config->machine.accel = strcmp(value, "auto") ? value : NULL;
	return 0;
}

/* TYPE[,aia=KIND][,packed] */
static int
take_machine(struct isomorph_config *config, const char *value, struct error *error)
{
	static const char *const kinds[] = { "none", "aplic", "aplic-imsic" };
	struct config_parts parts;

	if (config_split(config, value, &parts, error))
		return -1;
	config->machine.type = parts.first;
	config->machine.aia = NULL;
	config->machine.packed = false;
	for (unsigned i = 0; i < parts.count; i++) {
		const char *key = parts.part[i].key, *part = parts.part[i].value;
		size_t kind = 0;

		while (kind < ARRAY_LEN(kinds) && part && strcmp(part, kinds[kind]))
			kind++;
		if (!strcmp(key, "aia") && part && kind < ARRAY_LEN(kinds))
			config->machine.aia = kinds[kind];
		else if (!strcmp(key, "packed") && !part)
			config->machine.packed = true;
		else
			return error_set(error, 0, "--machine %s: known are aia=none|aplic|aplic-imsic and packed", value);
	}
	return 0;
}

/* A machine's name is a folder's: no slash, no leading dot, short enough that a
 * socket's path can hold it. */
static int
take_name(struct isomorph_config *config, const char *value, struct error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (value[strspn(value, letters)] || value[0] == '.' || value[0] == '-' || strlen(value) > 40)
		return error_set(error, 0, "--name %s: a name has up to 40 letters, digits and . _ - and begins with a letter or digit",
				 value);
	config->machine.name = value;
	return 0;
}

static int
take_disk(struct isomorph_config *config, const char *value, struct error *error)
{
	struct machine_disk *disk = &config->machine.disk[config->machine.disks];
	struct config_parts parts;

	if (config->machine.disks == MACHINE_DISKS)
		return error_set(error, 0, "--disk %s: a machine has at most %d disks", value, MACHINE_DISKS);
	if (config_split(config, value, &parts, error))
		return -1;
	*disk = (struct machine_disk){ .path = parts.first };
	for (unsigned i = 0; i < parts.count; i++) {
		const char *key = parts.part[i].key, *part = parts.part[i].value;

		if (!strcmp(key, "format") && part && (!strcmp(part, "raw") || !strcmp(part, "qcow2")))
			disk->format = part;
		else if (!strcmp(key, "bus") && part && (!strcmp(part, "virtio") || !strcmp(part, "scsi") ||
							 !strcmp(part, "cdrom") || !strcmp(part, "flash")))
			disk->bus = part;
		else if (!strcmp(key, "readonly") && !part)
			disk->read_only = true;
		else if (!strcmp(key, "snapshot") && !part)
			disk->snapshot = true;
		else
			return error_set(error, 0, "--disk %s: %s%s%s: known are format=raw|qcow2, "
					 "bus=virtio|scsi|cdrom|flash, readonly, snapshot (a comma of the path is written twice)",
					 value, key, part ? "=" : "", part ? part : "");
	}
	if (!*disk->path)
		return error_set(error, 0, "--disk %s: a path is wanted first", value);
	config->machine.disks++;
	return 0;
}

static int
take_cdrom(struct isomorph_config *config, const char *value, struct error *error)
{
	struct config_parts parts;

	if (config->machine.disks == MACHINE_DISKS)
		return error_set(error, 0, "--cdrom %s: a machine has at most %d disks", value, MACHINE_DISKS);
	if (config_split(config, value, &parts, error))
		return -1;
	if (parts.count)
		return error_set(error, 0, "--cdrom %s: a file is wanted (a comma of its path is written twice)", value);
	config->machine.disk[config->machine.disks++] =
		(struct machine_disk){ .path = parts.first, .format = "raw", .bus = "cdrom", .read_only = true };
	return 0;
}

/* user, none, tap=IFNAME, switch=PATH; then mac=… */
static int
take_net(struct isomorph_config *config, const char *value, struct error *error)
{
	struct machine_net *net = &config->machine.net[config->machine.nets];
	struct config_parts parts;
	bool named, alone;
	char *equals;

	if (config->machine.nets == MACHINE_NETS)
		return error_set(error, 0, "--net %s: a machine has at most %d networks", value, MACHINE_NETS);
	if (config_split(config, value, &parts, error))
		return -1;
	equals = strchr(parts.first, '=');
	if (equals)
		*equals++ = 0;
	*net = (struct machine_net){ .kind = parts.first, .name = equals };
	named = !strcmp(parts.first, "tap") || !strcmp(parts.first, "switch");
	alone = !strcmp(parts.first, "user") || !strcmp(parts.first, "none");
	if (!(named && equals && *equals) && !(alone && !equals))
		return error_set(error, 0, "--net %s: choose user, none, tap=INTERFACE or switch=PATH, and ,mac=ADDRESS", value);
	for (unsigned i = 0; i < parts.count; i++) {
		if (strcmp(parts.part[i].key, "mac") || !parts.part[i].value)
			return error_set(error, 0, "--net %s: %s: known is mac=ADDRESS", value, parts.part[i].key);
		net->mac = parts.part[i].value;
	}
	config->machine.nets++;
	return 0;
}

/* PATH[:TAG][,readonly]; the tag is the folder's name when it is not given. */
static int
take_share(struct isomorph_config *config, const char *value, struct error *error)
{
	struct machine_share *share = &config->machine.share[config->machine.shares];
	struct config_parts parts;
	char *colon, *end;

	if (config->machine.shares == MACHINE_SHARES)
		return error_set(error, 0, "--share %s: a machine has at most %d shares", value, MACHINE_SHARES);
	if (config_split(config, value, &parts, error))
		return -1;
	colon = strrchr(parts.first, ':');
	if (colon && !strchr(colon, '/'))
		*colon++ = 0;
	else
		colon = NULL;
	for (end = parts.first + strlen(parts.first); end > parts.first + 1 && end[-1] == '/';)
		*--end = 0;
	*share = (struct machine_share){ .path = parts.first, .tag = colon };
	if (!colon)
		share->tag = strrchr(parts.first, '/') ? strrchr(parts.first, '/') + 1 : parts.first;
	if (!*share->path || !*share->tag || strlen(share->tag) > 31)
		return error_set(error, 0, "--share %s: PATH:TAG is wanted, the tag at most 31 characters", value);
	for (unsigned i = 0; i < parts.count; i++) {
		if (strcmp(parts.part[i].key, "readonly") || parts.part[i].value)
			return error_set(error, 0, "--share %s: %s: known is readonly", value, parts.part[i].key);
		share->read_only = true;
	}
	config->machine.shares++;
	return 0;
}

static int
take_forward(struct isomorph_config *config, const char *value, struct error *error)
{
	unsigned colons = 0;

	for (const char *at = value; *at; at++)
		colons += *at == ':';
	if ((strncmp(value, "tcp:", 4) && strncmp(value, "udp:", 4)) || colons < 2 || colons > 3)
		return error_set(error, 0, "--forward %s: tcp:[ADDRESS:]PORT:GUEST_PORT is wanted (or udp:), such as tcp:2222:22",
				 value);
	if (config->machine.forwards == MACHINE_FORWARDS)
		return error_set(error, 0, "--forward %s: a machine has at most %d", value, MACHINE_FORWARDS);
	config->machine.forward[config->machine.forwards++] = value;
	return 0;
}

static int
take_pin(struct isomorph_config *config, const char *value, struct error *error)
{
	const char **list = arena_alloc(&config->text, (MACHINE_CPUS + 1) * sizeof *list);
	char *copy = config_copy(config, value), *save, *at;
	unsigned count = 0;

	for (at = strtok_r(copy, ":", &save); at; at = strtok_r(NULL, ":", &save)) {
		if (count == MACHINE_CPUS || at[strspn(at, "0123456789,-")])
			return error_set(error, 0, "--pin %s: host CPUs for each vCPU are wanted, such as 0:1 or 0-3:0-3", value);
		list[count++] = at;
	}
	/* The last list is that of all further vCPUs. */
	for (; count && count < MACHINE_CPUS; count++)
		list[count] = list[count - 1];
	config->machine.pin = list;
	return 0;
}

static int
take_dump(struct isomorph_config *config, const char *value, struct error *error)
{
	static const char *const stages[] = { "guest", "lift", "regalloc", "emit" };
	char *save;

	for (char *at = strtok_r(config_copy(config, value), ",", &save); at; at = strtok_r(NULL, ",", &save)) {
		unsigned i = 0;

		while (i < ARRAY_LEN(stages) && strcmp(stages[i], at))
			i++;
		if (i == ARRAY_LEN(stages))
			return error_set(error, 0, "-d %s: stages are guest, lift, regalloc, emit", at);
		config->cpu.dump |= 1u << i;
	}
	return 0;
}

#define FIELD(name) offsetof(struct isomorph_config, name)

static const struct config_option options[] = {
	{ .name = "name", .kind = CONFIG_CALL, .take = take_name },
	{ .name = "image", .kind = CONFIG_TEXT, .field = FIELD(image) },
	{ .name = "arch", .kind = CONFIG_TEXT, .field = FIELD(machine.arch) },
	{ .name = "machine", .kind = CONFIG_CALL, .take = take_machine },
	{ .name = "cpus", .kind = CONFIG_COUNT, .field = FIELD(machine.cpus), .least = 1, .most = MACHINE_CPUS },
	{ .name = "memory", .kind = CONFIG_SIZE, .field = FIELD(machine.memory), .least = 4 << 20 },
	{ .name = "accel", .kind = CONFIG_CALL, .take = take_accel },
	{ .name = "kernel", .kind = CONFIG_TEXT, .field = FIELD(machine.kernel), .path = true },
	{ .name = "initrd", .kind = CONFIG_TEXT, .field = FIELD(machine.initrd), .path = true },
	{ .name = "append", .kind = CONFIG_TEXT, .field = FIELD(machine.append) },
	{ .name = "dtb", .kind = CONFIG_TEXT, .field = FIELD(machine.dtb), .path = true },
	{ .name = "firmware", .kind = CONFIG_TEXT, .field = FIELD(machine.firmware), .path = true },
	{ .name = "bare", .kind = CONFIG_TEXT, .field = FIELD(machine.bare), .path = true },
	{ .name = "signature", .kind = CONFIG_TEXT, .field = FIELD(machine.signature), .path = true, .passing = true },
	{ .name = "disk", .kind = CONFIG_LIST, .take = take_disk, .path = true },
	{ .name = "cdrom", .kind = CONFIG_LIST, .take = take_cdrom, .path = true },
	{ .name = "user-data", .kind = CONFIG_TEXT, .field = FIELD(user_data), .path = true },
	{ .name = "net", .kind = CONFIG_LIST, .take = take_net },
	{ .name = "forward", .kind = CONFIG_LIST, .take = take_forward },
	{ .name = "share", .kind = CONFIG_LIST, .take = take_share, .path = true },
	{ .name = "vsock", .kind = CONFIG_COUNT, .field = FIELD(machine.vsock_cid), .least = 3, .most = UINT32_MAX - 1 },
	{ .name = "pin", .kind = CONFIG_CALL, .take = take_pin },
	{ .name = "weight", .kind = CONFIG_COUNT, .field = FIELD(machine.weight), .least = 1, .most = 10000 },
	{ .name = "deterministic", .kind = CONFIG_FLAG, .field = FIELD(machine.deterministic) },
	{ .name = "force-faults", .kind = CONFIG_FLAG, .field = FIELD(cpu.force_faults), .passing = true },
	{ .name = "timeout", .kind = CONFIG_COUNT, .field = FIELD(timeout), .least = 1, .most = UINT32_MAX / 1000,
	  .passing = true },
	{ .name = "detach", .kind = CONFIG_FLAG, .field = FIELD(detach), .passing = true },
	{ .name = "stats", .kind = CONFIG_FLAG, .field = FIELD(stats), .passing = true },
	{ .name = "d", .kind = CONFIG_CALL, .take = take_dump, .passing = true },
};

const struct config_option *
config_option_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}
