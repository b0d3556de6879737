/* isomorph boot: options to struct isomorph_config, which knows them by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "isomorph/machine.h"

static const char boot_help[] =
	"usage: isomorph boot [NAME] [OPTION…]\n\n"
	"Runs a machine with its console on this terminal. NAME: a machine of before, as\n"
	"it was described then; options add to that.\n\n"
	"What boots:\n"
	"  --image debian[:SUITE]  a root disk, built once from this machine's own apt\n"
	"                      mirror; changes stay with the machine\n"
	"  --kernel FILE       a Linux kernel, started directly\n"
	"  --initrd FILE       its initial file system\n"
	"  --append TEXT       its command line\n"
	"  --dtb FILE          a device tree instead of the machine's own\n"
	"  --firmware FILE     firmware in M-mode instead of the built-in one\n"
	"  --bare FILE         an ELF program that reports through tohost or syscon\n"
	"  --signature FILE    keep the bare program's memory from begin_signature to\n"
	"                      end_signature, as architecture tests compare it\n"
	"The machine:\n"
	"  --arch ARCH         riscv64 (the default)\n"
	"  --machine TYPE[,aia=none|aplic|aplic-imsic][,packed]\n"
	"                      virt (the default); its interrupt controllers: PLIC, or the\n"
	"                      AIA's APLIC, or with IMSICs too, for MSI-X; packed virtio rings\n"
	"  --cpus N            virtual CPUs (1)\n"
	"  --memory SIZE       RAM, such as 512M or 2G\n"
	"  --disk PATH[,format=raw|qcow2][,bus=virtio|scsi|cdrom|flash][,readonly][,snapshot]\n"
	"  --cdrom FILE        an ISO image in a CD-ROM drive\n"
	"  --user-data FILE    NoCloud seed for cloud-init\n"
	"  --net user|none|tap=INTERFACE|switch=PATH[,mac=ADDRESS]\n"
	"  --forward tcp:[ADDRESS:]PORT:GUEST_PORT\n"
	"                      connections to PORT go to the guest (udp: too)\n"
	"  --share PATH[:TAG][,readonly]\n"
	"                      a folder of the host by 9p\n"
	"  --vsock CID         a socket device between host and guest\n"
	"How it runs:\n"
	"  --name NAME         it is kept, and isomorph list, stop, console … know it\n"
	"  --detach            in the background\n"
	"  --accel HOW         auto, translate, interpret or lockstep\n"
	"  --pin LIST:LIST…    host CPUs of each vCPU, such as 0:1\n"
	"  --weight N          its share of a busy host, 1 to 10000 (100)\n"
	"  --deterministic     all vCPUs on one thread, switched by instruction count\n"
	"  --force-faults      every access to memory leaves translated code (a test)\n"
	"  --timeout SECONDS   ends the machine after that\n"
	"  --stats             print counters and times at the end\n"
	"  -d STAGE,…          log stages of translation: guest lift regalloc emit\n"
	"  -h, --help          this text\n\n"
	"On a terminal, Ctrl-a x ends the machine, Ctrl-a h lists the other keys.\n"
	"Exit code: 0 the guest powered off, 1 the host failed, 2 wrong usage, 3 the guest\n"
	"crashed, 4 it resets again and again, 5 time-out, 6 ended from outside, 100+N it\n"
	"powered off with code N, or test N of a bare program failed.\n\n"
	"example: isomorph boot --image debian --cpus 2 --memory 1G --forward tcp:2222:22\n";

/* Takes the option at argv[*i], moves *i past it and its value. 0 or 2. */
static int
take_option(struct isomorph_config *config, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 1 + (argv[*i][1] == '-'), *value = NULL;
	char error[ISOMORPH_ERROR];
	bool wants;

	/* -d has one dash, the others two. */
	if (!isomorph_config_knows(name, &wants) || (argv[*i][1] != '-') != (strlen(name) == 1))
		return cli_usage("boot", "there is no option %s", argv[*i]);
	if (wants && ++*i == argc)
		return cli_usage("boot", "%s needs a value", argv[*i - 1]);
	if (wants)
		value = argv[*i];
	++*i;
	return isomorph_config_set(config, name, value, error) ? cli_usage("boot", "%s", error) : 0;
}

int
cli_boot(int argc, char **argv)
{
	struct isomorph_config *config = isomorph_config_new();
	char error[ISOMORPH_ERROR];
	int i = 1, code = 0;

	if (!config)
		return fputs("isomorph boot: out of memory\n", stderr), ISOMORPH_EXIT_FAILED;
	if (i < argc && argv[i][0] != '-' && isomorph_config_load(config, argv[i++], error))
		code = cli_usage("boot", "%s", error);
	while (!code && i < argc) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(boot_help, stdout);
			goto out;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			code = cli_usage("boot", "%s: NAME comes first and alone, or it is the value of an option", argv[i]);
		else
			code = take_option(config, argc, argv, &i);
	}
	if (!code)
		code = isomorph_boot(config);
out:
	isomorph_config_free(config);
	return code;
}
