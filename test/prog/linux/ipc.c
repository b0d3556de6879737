/* System V and POSIX: semaphores, message queues, shared memory; shared mappings
 * and process-shared locks between processes. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

union semun { int val; struct semid_ds *buf; unsigned short *array; };

static void
test_semaphores(void)
{
	int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	unsigned short values[3] = { 4, 5, 6 };
	struct sembuf take = { 1, -5, 0 }, more = { 1, -1, IPC_NOWAIT }, give = { 1, 1, 0 };
	struct timespec soon = { 0, 10000000 };
	struct semid_ds ds;
	pid_t pid;

	MUST(id >= 0);
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = values }));
	SHOW(semctl(id, 1, GETVAL));
	SHOW(semctl(id, 2, SETVAL, (union semun){ .val = 9 }));
	SHOW(semctl(id, 2, SETVAL, (union semun){ .val = -1 }));
	SHOW(semop(id, &take, 1));
	SHOW(semop(id, &more, 1));
	more.sem_flg = 0;
	SHOW(semtimedop(id, &more, 1, &soon));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		usleep(20000);
		semop(id, &give, 1);
		_exit(0);
	}
	SHOW(semop(id, &more, 1));
	waitpid(pid, NULL, 0);
	memset(values, 0, sizeof values);
	SHOW(semctl(id, 0, GETALL, (union semun){ .array = values }));
	printf("%d %d %d\n", values[0], values[1], values[2]);
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	printf("mode %o count %d changed %d operated %d\n", ds.sem_perm.mode & 0777, (int)ds.sem_nsems,
	       ds.sem_ctime > 1000000, ds.sem_otime > 1000000);
	ds.sem_perm.mode = 0640;
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	printf("mode %o\n", ds.sem_perm.mode & 0777);
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = (void *)8 }));
	SHOW(semctl(id, 7, GETVAL));
	SHOW(semctl(id, 0, IPC_RMID));
	SHOW(semop(id, &take, 1));
}

static void
test_messages(void)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	struct { long type; char text[16]; } m = { 3, "first" };
	struct msqid_ds ds;

	MUST(id >= 0);
	SHOW(msgsnd(id, &m, 6, 0));
	m.type = 5;
	strcpy(m.text, "second");
	SHOW(msgsnd(id, &m, 7, 0));
	SHOW(msgctl(id, IPC_STAT, &ds));
	printf("queued %d\n", (int)ds.msg_qnum);
	SHOW(msgrcv(id, &m, 3, 5, 0));
	SHOW(msgrcv(id, &m, 16, 5, 0));
	printf("%ld %s\n", m.type, m.text);
	SHOW(msgrcv(id, &m, 16, 0, 0));
	printf("%ld %s\n", m.type, m.text);
	SHOW(msgrcv(id, &m, 16, 0, IPC_NOWAIT));
	SHOW(msgsnd(id, (void *)8, 6, 0));
	SHOW(msgctl(id, IPC_RMID, NULL));
}

static void
test_memory(void)
{
	int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
	struct shmid_ds ds;
	char *p, *q;
	pid_t pid;

	MUST(id >= 0);
	p = shmat(id, NULL, 0);
	MUST(p != (void *)-1);
	q = shmat(id, NULL, SHM_RDONLY);
	MUST(q != (void *)-1 && q != p);
	p[9999] = 5;
	SHOW(q[9999]);
	pid = fork();
	if (!pid) {
		p[0] = 77;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	SHOW(q[0]);
	SHOW(shmctl(id, IPC_STAT, &ds));
	printf("size %d attached %d\n", (int)ds.shm_segsz, (int)ds.shm_nattch);
	SHOW(shmdt(q));
	SHOW(shmdt(q));
	SHOW(shmdt(p + 4096));
	SHOW(shmat(id, p, 0) == (void *)-1);
	SHOW(shmat(id, p + 5, 0) == (void *)-1);
	SHOW(shmat(id, p, SHM_REMAP) == p);
	SHOW(p[0]);
	SHOW(shmctl(id, IPC_RMID, NULL));
	SHOW(shmdt(p));
	SHOW(shmat(id, NULL, 0) == (void *)-1);
}

struct shared {
	sem_t semaphore;
	pthread_mutex_t mutex;
	long count;
};

static void
test_shared(void)
{
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	sem_init(&s->semaphore, 1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &attr);
	for (int i = 0; i < 4; i++)
		if (!fork()) {
			for (int k = 0; k < 2000; k++) {
				MUST(!pthread_mutex_lock(&s->mutex));
				s->count++;
				pthread_mutex_unlock(&s->mutex);
			}
			sem_post(&s->semaphore);
			_exit(0);
		}
	for (int i = 0; i < 4; i++)
		sem_wait(&s->semaphore);
	while (wait(NULL) > 0)
		;
	SHOW(s->count);
	if (!fork()) {
		pthread_mutex_lock(&s->mutex);
		_exit(0);
	}
	wait(NULL);
	SHOW(pthread_mutex_lock(&s->mutex) == EOWNERDEAD);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_semaphores();
	test_messages();
	test_memory();
	test_shared();
	return 0;
}
