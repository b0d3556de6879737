/* What vCPUs ask of each other, and the handshake: system.h. */
#include "cpu/system/system.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "base/raw.h"

static void
announce(struct mail *mail)
{
	__atomic_fetch_add(&mail->word, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&mail->waiters, __ATOMIC_SEQ_CST)))
		RAW3(SYS_futex, &mail->word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* ---- receiving ------------------------------------------------------------------ */

void
mail_serve(struct cpu_system *s)
{
	struct mail *mail = &s->mail;

	lock_take(&mail->lock);
	__atomic_store_n(&mail->pending, 0, __ATOMIC_SEQ_CST);
	if (mail->everything)
		system_forget(s);
	if (mail->writes)
		tlb_drop_all_writes(s);
	for (unsigned i = 0; i < mail->flushes; i++)
		system_flush(s, &mail->flush[i]);
	for (unsigned i = 0; i < mail->pages; i++)
		tlb_drop_writes(s, mail->page[i]);
	mail->everything = mail->writes = false;
	mail->flushes = mail->pages = 0;
	__atomic_store_n(&mail->served, mail->posted, __ATOMIC_SEQ_CST);
	lock_drop(&mail->lock);
	announce(mail);
}

void
system_enter(struct cpu_system *s)
{
	__atomic_store_n(&s->running, 1, __ATOMIC_SEQ_CST);
	if (UNLIKELY(mail_pending(s)))
		mail_serve(s);
}

void
system_leave(struct cpu_system *s)
{
	__atomic_store_n(&s->running, 0, __ATOMIC_SEQ_CST);
	announce(&s->mail);
}

/* ---- sending --------------------------------------------------------------------- */

struct request {
	const struct cpu_flush *flush;
	bool everything, writes, one_page;
	uint64_t page;
};

static void
put(struct mail *mail, const struct request *request)
{
	if (request->flush) {
		if (mail->flushes < MAIL_SIZE)
			mail->flush[mail->flushes++] = *request->flush;
		else
			mail->everything = true;
	}
	if (request->one_page) {
		if (mail->pages < MAIL_SIZE)
			mail->page[mail->pages++] = request->page;
		else
			mail->writes = true;
	}
	mail->everything |= request->everything;
	mail->writes |= request->writes;
}

static uint32_t
post(struct cpu_system *s, const struct request *request)
{
	struct mail *mail = &s->mail;
	uint32_t ticket;

	lock_take(&mail->lock);
	put(mail, request);
	ticket = ++mail->posted;
	__atomic_store_n(&mail->pending, 1, __ATOMIC_SEQ_CST);
	lock_drop(&mail->lock);
	cpu_poll(s->vcpu);
	return ticket;
}

/* Until the request was served, or will be before s runs. */
static void
await(struct cpu_system *s, uint32_t ticket)
{
	struct mail *mail = &s->mail;

	__atomic_fetch_add(&mail->waiters, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t word = __atomic_load_n(&mail->word, __ATOMIC_SEQ_CST);

		if (!__atomic_load_n(&s->running, __ATOMIC_SEQ_CST) ||
		    (int32_t)(__atomic_load_n(&mail->served, __ATOMIC_SEQ_CST) - ticket) >= 0)
			break;
		RAW4(SYS_futex, &mail->word, FUTEX_WAIT_PRIVATE, word, NULL);
	}
	__atomic_fetch_sub(&mail->waiters, 1, __ATOMIC_SEQ_CST);
}

/* Whether the set (NULL: all) has the vCPU. */
static bool
in_set(const struct cpu_system *s, const uint64_t *set, unsigned words)
{
	unsigned number = s->vcpu->frame->env->number;

	return !set || (number / 64 < words && (set[number / 64] >> (number % 64) & 1));
}

/* Asks the vCPUs of the set but self, waits for them; then does it for self, which
 * is not running. vCPUs come and go only while no guest runs. */
static void
ask(struct cpu_space *space, struct cpu_system *self, const uint64_t *set, unsigned words,
	const struct request *request)
{
	struct vcpu *vcpu;
	uint32_t ticket[64] = { 0 };
	unsigned i = 0;

	for (vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next, i++) {
		struct cpu_system *s = vcpu->local->system;

		if (s && s != self && in_set(s, set, words))
			ticket[i % 64] = post(s, request);
	}
	i = 0;
	for (vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next, i++) {
		struct cpu_system *s = vcpu->local->system;

		if (s && s != self && in_set(s, set, words))
			await(s, ticket[i % 64]);
	}
	if (self && in_set(self, set, words)) {
		lock_take(&self->mail.lock);
		put(&self->mail, request);
		self->mail.posted++;
		lock_drop(&self->mail.lock);
		mail_serve(self);
	}
}

void
mail_drop_writes(struct cpu_system *s, uint64_t page)
{
	struct request request = { .one_page = true, .page = page };

	ask(s->vcpu->space, s, NULL, 0, &request);
}

static struct cpu_system *
of_vcpu(struct vcpu *vcpu)
{
	return vcpu ? vcpu->local->system : NULL;
}

void
cpu_flush_remote(struct cpu_space *space, struct vcpu *self, const uint64_t *set, unsigned words,
		 const struct cpu_flush *flush)
{
	ask(space, of_vcpu(self), set, words, &(struct request){ .flush = flush });
}

void
cpu_flush_writes(struct cpu_space *space, struct vcpu *self)
{
	ask(space, of_vcpu(self), NULL, 0, &(struct request){ .writes = true });
}

void
cpu_flush_map(struct cpu_space *space, struct vcpu *self)
{
	ask(space, of_vcpu(self), NULL, 0, &(struct request){ .everything = true });
}
