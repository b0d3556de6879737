/* The devices that a configuration asks for, as virtio functions on the machine's
 * PCI bus: disks, CD-ROM drives, network cards, shares, and what every machine
 * has (entropy, balloon, power button). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device/scsi/scsi.h"
#include "device/virtio/balloon.h"
#include "device/virtio/blk.h"
#include "device/virtio/console.h"
#include "device/virtio/input.h"
#include "device/virtio/net.h"
#include "device/virtio/p9.h"
#include "device/virtio/rng.h"
#include "device/virtio/scsi.h"
#include "device/virtio/vsock.h"
#include "machine/machine_impl.h"

static struct virtio_host
host(struct machine *m)
{
	return (struct virtio_host){ .memory = &m->memory, .loop = m->loop, .lock = &m->lock, .packed = m->config.packed };
}

/* On the bus, and the machine's. */
static int
plug(struct machine *m, struct virtio_device *device, const char *name, struct error *error)
{
	if (!device)
		return error->set ? -1 : error_set(error, ENOMEM, "no memory for the device %s", name);
	if (virtio_pci_attach(device, &m->pci, PCI_ANY_SLOT, error))
		return -1;
	machine_add(m, &device->device, name);
	return 0;
}

/* ---- disks ------------------------------------------------------------------- */

static bool
is_bus(const struct machine_disk *disk, const char *bus)
{
	return !strcmp(disk->bus ? disk->bus : "virtio", bus);
}

static struct disk *
open_disk(struct machine *m, unsigned n, bool read_only, struct error *error)
{
	const struct machine_disk *c = &m->config.disk[n];
	const struct disk_options options = { .path = c->path, .format = c->format, .read_only = read_only,
					      .snapshot = c->snapshot, .lock = &m->lock };

	m->disk[n] = disk_open(&options, error);
	return m->disk[n];
}

static int
add_blk(struct machine *m, unsigned n, struct error *error)
{
	const struct virtio_host h = host(m);
	struct virtio_blk_options options = { .queues = m->cpus < 8 ? m->cpus : 8 };
	char name[16];

	snprintf(name, sizeof name, "disk%u", n);
	options.disk = open_disk(m, n, m->config.disk[n].read_only, error);
	return options.disk ? plug(m, virtio_blk_new(&h, name, &options), name, error) : -1;
}

/* A unit of the one SCSI host, which comes with the first. */
static int
add_unit(struct machine *m, unsigned n, struct virtio_device **scsi, struct error *error)
{
	bool cdrom = is_bus(&m->config.disk[n], "cdrom");
	const struct virtio_host h = host(m);
	struct disk *disk = open_disk(m, n, cdrom || m->config.disk[n].read_only, error);
	struct scsi_unit *unit;
	char serial[16];

	if (!disk)
		return -1;
	snprintf(serial, sizeof serial, "disk%u", n);
	unit = scsi_unit_new(cdrom ? SCSI_CDROM : SCSI_DISK, disk, serial);
	if (!unit)
		return error_set(error, ENOMEM, "no memory for the device %s", serial);
	if (!*scsi) {
		*scsi = virtio_scsi_new(&h, "scsi");
		if (plug(m, *scsi, "scsi", error)) {
			scsi_unit_free(unit);
			return -1;
		}
	}
	if (virtio_scsi_add(*scsi, unit))
		return error_set(error, ENOSPC, "%s: too many disks and drives for SCSI", m->config.disk[n].path);
	return 0;
}

static int
add_disks(struct machine *m, struct error *error)
{
	struct virtio_device *scsi = NULL;

	for (unsigned n = 0; n < m->config.disks; n++) {
		const struct machine_disk *disk = &m->config.disk[n];
		int failed = 0;

		if (is_bus(disk, "virtio"))
			failed = add_blk(m, n, error);
		else if (is_bus(disk, "scsi") || is_bus(disk, "cdrom"))
			failed = add_unit(m, n, &scsi, error);
		else if (!is_bus(disk, "flash")) /* which is the board's */
			failed = error_set(error, EINVAL, "disk %s: there is no bus '%s' (virtio, scsi, cdrom, flash)",
					   disk->path, disk->bus);
		if (failed)
			return -1;
	}
	return 0;
}

/* ---- network ------------------------------------------------------------------ */

static int
parse_mac(const char *text, uint8_t mac[6])
{
	char end;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		      &end) == 6 && !(mac[0] & 1) ? 0 : -1;
}

/* Forwarded ports belong to the first card that is a user-mode one. */
static int
add_net(struct machine *m, unsigned n, bool forwards, struct error *error)
{
	const struct machine_net *c = &m->config.net[n];
	const struct virtio_host h = host(m);
	struct net_options options = { .kind = c->kind ? c->kind : "user", .name = c->name, .lock = &m->lock };
	struct net *net;
	char name[16];

	if (!c->mac)
		virtio_net_make_mac(m->config.name ? m->config.name : "", n, options.mac);
	else if (parse_mac(c->mac, options.mac))
		return error_set(error, EINVAL, "network card %u: '%s' is no Ethernet address of one card", n, c->mac);
	if (forwards) {
		options.forward = m->config.forward;
		options.forwards = m->config.forwards;
	}
	net = net_open(&options, error);
	if (!net)
		return -1;
	snprintf(name, sizeof name, "net%u", n);
	return plug(m, virtio_net_new(&h, name, net, options.mac, error), name, error);
}

static int
add_nets(struct machine *m, struct error *error)
{
	bool forwarded = false;

	for (unsigned n = 0; n < m->config.nets; n++) {
		const char *kind = m->config.net[n].kind;
		bool user = !kind || !strcmp(kind, "user");

		if (kind && !strcmp(kind, "none"))
			continue;
		if (add_net(m, n, user && !forwarded, error))
			return -1;
		forwarded = forwarded || user;
	}
	return 0;
}

/* The second console, where a shell may wait. */
static int
add_shell(struct machine *m, struct error *error)
{
	const struct virtio_host h = host(m);

	if (m->config.shell_out < 0)
		return 0;
	return plug(m, virtio_console_new(&h, "shell", m->config.shell_in, m->config.shell_out, error), "shell", error);
}

/* ---- shares ---------------------------------------------------------------------- */

static int
add_shares(struct machine *m, struct error *error)
{
	const struct virtio_host h = host(m);

	for (unsigned n = 0; n < m->config.shares; n++) {
		const struct machine_share *c = &m->config.share[n];
		struct p9 *p9 = p9_new(c->path, c->read_only, error);
		char name[16];

		snprintf(name, sizeof name, "share%u", n);
		if (!p9 || plug(m, virtio_p9_new(&h, name, p9, c->tag ? c->tag : name, error), name, error))
			return -1;
	}
	return 0;
}

/* ---- all ----------------------------------------------------------------------- */

static int
add_vsock(struct machine *m, struct error *error)
{
	const struct virtio_host h = host(m);

	if (!m->config.vsock_cid)
		return 0;
	if (!m->config.vsock_path)
		return error_set(error, EINVAL, "a machine with a vsock needs a path for its socket");
	return plug(m, virtio_vsock_new(&h, "vsock", m->config.vsock_cid, m->config.vsock_path, error), "vsock", error);
}

int
machine_add_devices(struct machine *m, struct error *error)
{
	const struct virtio_host h = host(m);

	if (add_disks(m, error) || add_nets(m, error) || add_shares(m, error) || add_vsock(m, error) ||
	    add_shell(m, error) || plug(m, virtio_rng_new(&h, "rng"), "rng", error))
		return -1;
	m->balloon = virtio_balloon_new(&h, "balloon");
	if (plug(m, m->balloon, "balloon", error))
		return -1;
	m->button = virtio_button_new(&h, "button");
	return plug(m, m->button, "button", error);
}
