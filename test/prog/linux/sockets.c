/* Sockets: streams, datagrams, messages with descriptors and credentials,
 * options, addresses, many messages at once. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "show.h"

static void
test_rights(void)
{
	int pair[2], fds[2], got = -1, on = 1;
	char text[16] = "hello", control[256], in[16] = "";
	struct iovec iov[2] = { { text, 2 }, { text + 2, 3 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = control,
			    .msg_controllen = CMSG_SPACE(sizeof(int)) };
	struct cmsghdr *c;
	struct ucred *who;

	MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) && !pipe(fds));
	memset(control, 0, sizeof control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fds[1], sizeof(int));
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	SHOW(sendmsg(pair[0], &m, 0));
	iov[0] = (struct iovec){ in, 3 };
	iov[1] = (struct iovec){ in + 8, 8 };
	m.msg_controllen = sizeof control;
	SHOW(recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC));
	printf("%.3s %.2s flags %x\n", in, in + 8, m.msg_flags & ~MSG_CMSG_CLOEXEC);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		printf("control %d length %d\n", c->cmsg_type, (int)c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&got, CMSG_DATA(c), sizeof got);
		if (c->cmsg_type == SCM_CREDENTIALS) {
			who = (struct ucred *)CMSG_DATA(c);
			printf("self %d\n", who->pid == getpid() && who->uid == getuid());
		}
	}
	SHOW(write(got, "x", 1));
	SHOW(read(fds[0], in, 1));
	SHOW(fcntl(got, F_GETFD));
	m.msg_control = NULL;
	m.msg_controllen = 0;
	SHOW(sendmsg(pair[0], &m, MSG_DONTWAIT));
	iov[0].iov_len = 1;
	m.msg_iovlen = 1;
	SHOW(recvmsg(pair[1], &m, 0));
	printf("truncated %d\n", !!(m.msg_flags & MSG_TRUNC));
	m.msg_iovlen = 5000;
	SHOW(sendmsg(pair[0], &m, 0));
	SHOW(sendmsg(pair[0], (struct msghdr *)8, 0));
	SHOW(recvmsg(pair[0], &m, MSG_DONTWAIT));
	close(pair[0]);
	SHOW(recv(pair[1], in, sizeof in, 0));
	SHOW(send(pair[1], "x", 1, MSG_NOSIGNAL));
	close(pair[1]);
}

static void
test_many(void)
{
	int pair[2];
	char text[4][8] = { "one", "two", "three", "four" };
	struct iovec iov[4];
	struct mmsghdr m[4];
	struct timespec soon = { 0, 1000000 };

	MUST(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	memset(m, 0, sizeof m);
	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ text[i], strlen(text[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	SHOW(sendmmsg(pair[0], m, 4, 0));
	for (int i = 0; i < 4; i++) {
		printf("sent %u\n", m[i].msg_len);
		iov[i].iov_len = sizeof text[i];
		memset(text[i], 0, sizeof text[i]);
	}
	SHOW(recvmmsg(pair[1], m, 3, 0, NULL));
	for (int i = 0; i < 3; i++)
		printf("%.8s %u\n", text[i], m[i].msg_len);
	SHOW(recvmmsg(pair[1], m, 3, MSG_WAITFORONE, NULL));
	SHOW(recvmmsg(pair[1], m, 3, MSG_DONTWAIT, &soon));
	close(pair[0]);
	close(pair[1]);
}

static int listener;

static void *
serve(void *argument)
{
	struct sockaddr_in6 peer;
	socklen_t length = sizeof peer;
	int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
	char buffer[65536];
	long total = 0, got;

	while ((got = read(fd, buffer, sizeof buffer)) > 0)
		total += got;
	MUST(send(fd, &total, sizeof total, 0) == sizeof total);
	close(fd);
	return argument;
}

static void
test_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, name;
	socklen_t length = sizeof name;
	int fd, on = 1, value = 0;
	char block[10000];
	pthread_t thread;
	long total = 0;
	struct linger linger;

	SHOW((listener = socket(AF_INET, SOCK_STREAM, 0)) > 2);
	SHOW(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	SHOW(bind(listener, (struct sockaddr *)&address, sizeof address));
	SHOW(bind(listener, (struct sockaddr *)&address, 3));
	SHOW(listen(listener, 5));
	SHOW(getsockname(listener, (struct sockaddr *)&name, &length));
	printf("length %u port %d\n", length, name.sin_port != 0);
	pthread_create(&thread, NULL, serve, NULL);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(fd, (struct sockaddr *)&name, length));
	SHOW(connect(fd, (struct sockaddr *)&name, length));
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
	length = sizeof value;
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
	printf("value %d length %u\n", value != 0, length);
	length = sizeof value;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
	SHOW(value);
	length = sizeof linger;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
	SHOW(getsockopt(fd, SOL_SOCKET, 9999, &value, &length));
	SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, (socklen_t *)8));
	memset(block, 1, sizeof block);
	for (int i = 0; i < 100; i++)
		MUST(write(fd, block, sizeof block) == sizeof block);
	length = sizeof name;
	SHOW(getpeername(fd, (struct sockaddr *)&name, &length));
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(recv(fd, &total, sizeof total, MSG_WAITALL));
	SHOW(total);
	pthread_join(thread, NULL);
	close(fd);
	close(listener);
}

static void
test_odd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "/tmp/socket%d", getpid());
	SHOW(connect(fd, (struct sockaddr *)&address, sizeof address));
	SHOW(bind(fd, (struct sockaddr *)&address, sizeof address));
	SHOW(bind(fd, (struct sockaddr *)&address, sizeof address));
	SHOW(accept(fd, NULL, NULL));
	SHOW(unlink(address.sun_path));
	SHOW(sendto(fd, "x", 1, 0, NULL, 0));
	SHOW(socket(1234, SOCK_STREAM, 0));
	SHOW(socket(AF_UNIX, 77, 0));
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){ 0 }));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8));
	SHOW(listen(0, 1));
	SHOW(shutdown(fd, 5));
	close(fd);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_rights();
	test_many();
	test_tcp();
	test_odd();
	return 0;
}
