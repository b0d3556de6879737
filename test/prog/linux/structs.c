/* The kernel's structs that pass through as they are: sizes and offsets must be
 * equal in both ABIs. Those that differ (stat, epoll_event, semid64_ds,
 * sigaction) are converted and are not here. */
#include <asm/fcntl.h>
#include <asm/ipcbuf.h>
#include <asm/msgbuf.h>
#include <asm/resource.h>
#include <asm/shmbuf.h>
#include <asm/siginfo.h>
#include <asm/socket.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <linux/mman.h>
#include <linux/mqueue.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/signalfd.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/time_types.h>
#include <linux/timex.h>
#include <linux/uio.h>
#include <linux/utsname.h>
#include <stddef.h>

int printf(const char *format, ...);

#define SIZE(t) printf(#t " %d\n", (int)sizeof(struct t))
#define AT(t, f) printf(#t "." #f " %d\n", (int)offsetof(struct t, f))
#define IS(c) printf(#c " %#lx\n", (unsigned long)(c))

int
main(void)
{
	SIZE(statfs), AT(statfs, f_fsid), AT(statfs, f_namelen), AT(statfs, f_flags);
	SIZE(shmid64_ds), AT(shmid64_ds, shm_segsz), AT(shmid64_ds, shm_atime), AT(shmid64_ds, shm_nattch);
	SIZE(msqid64_ds), AT(msqid64_ds, msg_stime), AT(msqid64_ds, msg_qnum), AT(msqid64_ds, msg_lrpid);
	SIZE(ipc64_perm), AT(ipc64_perm, mode), AT(ipc64_perm, seq);
	SIZE(termios), AT(termios, c_cc), SIZE(termios2), AT(termios2, c_ospeed), AT(termios2, c_line);
	SIZE(flock), AT(flock, l_start), AT(flock, l_pid);
	SIZE(siginfo), AT(siginfo, si_code), AT(siginfo, si_addr), AT(siginfo, si_value), AT(siginfo, si_status);
	SIZE(sigevent), AT(sigevent, sigev_notify), SIZE(signalfd_siginfo);
	SIZE(sysinfo), AT(sysinfo, procs), AT(sysinfo, mem_unit);
	SIZE(rusage), AT(rusage, ru_maxrss), SIZE(rlimit64), SIZE(new_utsname);
	SIZE(__kernel_timespec), SIZE(__kernel_itimerspec), SIZE(timex), AT(timex, tai);
	SIZE(iovec), SIZE(statx), AT(statx, stx_mtime), AT(statx, stx_dev_minor), SIZE(open_how), SIZE(mq_attr);

	IS(O_CREAT), IS(O_EXCL), IS(O_NOCTTY), IS(O_TRUNC), IS(O_APPEND), IS(O_NONBLOCK), IS(O_DSYNC), IS(FASYNC);
	IS(O_NOATIME), IS(O_CLOEXEC), IS(O_SYNC);
	IS(O_PATH), IS(F_GETLK), IS(F_SETLKW), IS(F_SETOWN), IS(F_SETOWN_EX), IS(F_OFD_SETLK);
	IS(MAP_SHARED), IS(MAP_FIXED), IS(MAP_ANONYMOUS), IS(MAP_GROWSDOWN), IS(MAP_NORESERVE), IS(MAP_STACK);
	IS(MAP_HUGETLB), IS(MAP_FIXED_NOREPLACE), IS(PROT_GROWSDOWN), IS(MADV_DONTNEED), IS(MS_SYNC);
	IS(RLIMIT_NOFILE), IS(RLIMIT_AS), IS(RLIMIT_NPROC), IS(RLIMIT_RTTIME);
	IS(SO_REUSEADDR), IS(SO_PEERCRED), IS(SO_RCVTIMEO), IS(SO_TIMESTAMP), IS(SO_PASSCRED), IS(SOL_SOCKET);
	IS(TCGETS), IS(TCSETS2), IS(TIOCGWINSZ), IS(TIOCGPTN), IS(TIOCSPTLCK), IS(FIONREAD), IS(FIONBIO), IS(FIOCLEX);
	return 0;
}
