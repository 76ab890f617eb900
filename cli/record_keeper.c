/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a process that weir record starts before it attaches, and that outlives it. It waits
 * on a socket, which the kernel closes when weir ends, however it ends.
 *
 * What comes in while weir lives: for each session the target's memfd, what bounds the session, and
 * the trace's folder. What it does when weir is gone without having said that all is well: it
 * renews the leases, switches the probes off, cuts what weir was just writing, reads from the files
 * themselves how far weir came (each packet says what it holds: reader/ctf.h), and writes the rest
 * from the targets' memories. So nothing that was committed is missing, and nothing is there twice.
 *
 * It holds no memory of a target mapped, and has another name and session, so that what kills weir
 * (its terminal, `killall weir`, the OOM killer) has no reason to kill it too.
 */
#include "cli/record.h"

#include "cli/cmd.h"
#include "reader/cleanup.h"
#include "reader/error.h"
#include "reader/lease.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum word {
	BEGUN = 1, /* with the memfd */
	FOLDER,    /* with the trace's folder */
	OVER,
	DONE,
};

/* What an earlier session of a CPU had lost, and where this one's counter began. */
struct losses {
	uint64_t base, before;
};

struct message {
	uint32_t word;
	uint32_t cpus; /* elements of `losses` */
	uint64_t id;   /* of the target, while it is there */
	pid_t pid, inner;
	uint32_t index, generation, first, count, mode;
	struct clock clock;
	int64_t epoch_ns;
	uint8_t uuid[16];
	char process[32], hostname[65], command[2048];
	struct losses losses[];
};

#define CPUS_MAX 4096
#define ROOM     (sizeof(struct message) + CPUS_MAX * sizeof(struct losses))

/* --- weir's side */

static void tell(const struct record *record, const struct message *m, size_t size, int fd)
{
	static bool deaf; /* somebody stopped it */
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { (void *)(uintptr_t)m, size };
	struct msghdr head = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		head.msg_control = control.bytes;
		head.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&head);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	/* Without a keeper the recording goes on; it is only less safe. */
	while (sendmsg(record->keeper, &head, MSG_NOSIGNAL | (deaf ? MSG_DONTWAIT : 0)) < 0) {
		if (errno == EAGAIN)
			deaf = true;
		if (errno != EINTR)
			break;
	}
}

void keeper_begun(const struct record *record, const struct target *target)
{
	uint32_t cpus = target->shm.head.cpus < CPUS_MAX ? target->shm.head.cpus : CPUS_MAX;
	uint32_t per_cpu = shm_slots_per_cpu(&target->shm);
	const struct recording *r = target->user;
	const struct session *s = &target->session;
	size_t size = sizeof(struct message) + cpus * sizeof(struct losses);
	_cleanup_free_ struct message *m = calloc(1, size);
	struct ctf_target about;

	if (!m || record->keeper < 0)
		return;
	*m = (struct message){
		.word = BEGUN,
		.cpus = cpus,
		.id = (uintptr_t)target,
		.pid = target->shm.pid,
		.inner = (pid_t)target->shm.head.pid,
		.index = s->index,
		.generation = s->generation,
		.first = s->first,
		.count = s->count,
		.mode = s->options.mode,
		.clock = target->clock,
	};
	about = record_about(record, target, m->command, sizeof(m->command));
	m->epoch_ns = about.epoch_ns;
	memcpy(m->uuid, about.uuid, sizeof(m->uuid));
	snprintf(m->process, sizeof(m->process), "%s", about.process);
	snprintf(m->hostname, sizeof(m->hostname), "%s", about.hostname);
	for (uint32_t i = 0; i < cpus; i++) {
		m->losses[i].base = s->lost_base ? s->lost_base[i] : 0;
		m->losses[i].before = r ? ctf_writer_lost_so_far(r->writer, i * per_cpu) : 0;
	}
	tell(record, m, size, target->shm.fd);
	if (r)
		keeper_folder(record, target, r);
}

void keeper_folder(const struct record *record, const struct target *target,
                   const struct recording *r)
{
	const struct message m = { .word = FOLDER, .id = (uintptr_t)target };

	if (record->keeper >= 0)
		tell(record, &m, sizeof(m), ctf_writer_folder(r->writer));
}

void keeper_over(const struct record *record, const struct target *target)
{
	const struct message m = { .word = OVER, .id = (uintptr_t)target };

	if (record->keeper >= 0)
		tell(record, &m, sizeof(m), -1);
}

void keeper_stop(struct record *record)
{
	const struct message m = { .word = DONE };

	if (record->keeper < 0)
		return;
	tell(record, &m, sizeof(m), -1);
	close(record->keeper);
	record->keeper = -1;
}

/* --- the keeper's */

struct entry {
	struct entry *next;
	struct message *message;
	int memory, folder; /* descriptors; -1: none */
	/* When weir is gone: */
	struct shm shm;
	struct clock clock;
	struct session session;
	bool open;
};

struct keeper {
	const struct record *record; /* as it was when the keeper began */
	struct entry *entries;
	struct lease_keeper *leases;
	uint64_t events, unwritten;
	struct weir_error why; /* not written */
	size_t traces;
};

static struct entry **entry_find(struct keeper *keeper, uint64_t id)
{
	struct entry **at = &keeper->entries;

	while (*at && (*at)->message->id != id)
		at = &(*at)->next;
	return at;
}

static void entry_free(struct entry *e)
{
	if (e->open)
		shm_unmap(&e->shm);
	else if (e->memory >= 0)
		close(e->memory);
	if (e->folder >= 0)
		close(e->folder);
	free(e->message);
	free(e);
}

static void entry_drop(struct keeper *keeper, uint64_t id)
{
	struct entry **at = entry_find(keeper, id), *e = *at;

	if (!e)
		return;
	*at = e->next;
	entry_free(e);
}

/* Takes `fd`, if it is one. */
static void take_message(struct keeper *keeper, const struct message *m, size_t size, int fd)
{
	struct entry *e = *entry_find(keeper, m->id);

	if (m->word == BEGUN) {
		entry_drop(keeper, m->id);
		e = calloc(1, sizeof(*e));
		if (e)
			e->message = malloc(size);
		if (!e || !e->message) {
			free(e);
			if (fd >= 0)
				close(fd);
			return;
		}
		memcpy(e->message, m, size);
		e->memory = fd;
		e->folder = -1;
		e->next = keeper->entries;
		keeper->entries = e;
	} else if (m->word == FOLDER && e && e->folder < 0) {
		e->folder = fd;
	} else {
		if (fd >= 0)
			close(fd);
		if (m->word == OVER)
			entry_drop(keeper, m->id);
	}
}

/* The next message; 0: weir is gone. */
static ssize_t next_message(int socket, struct message *m, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { m, ROOM };
	struct msghdr head = { .msg_iov = &io,
		               .msg_iovlen = 1,
		               .msg_control = control.bytes,
		               .msg_controllen = sizeof(control.bytes) };
	ssize_t n;
	struct cmsghdr *c;

	do {
		n = recvmsg(socket, &head, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*fd = -1;
	c = n > 0 ? CMSG_FIRSTHDR(&head) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return n;
}

/* True: all is well. False: weir is gone. */
static bool listen_to_weir(struct keeper *keeper, int socket)
{
	_cleanup_free_ struct message *m = malloc(ROOM);
	ssize_t n;
	int fd;

	while (m && (n = next_message(socket, m, &fd)) > 0) {
		if ((size_t)n < sizeof(*m))
			continue;
		if (m->word == DONE)
			return true;
		take_message(keeper, m, (size_t)n, fd);
	}
	return !m;
}

/* --- after weir's death */

/* Map the memory and make weir's session ours. False: there is nothing to be fetched. */
static bool entry_open(struct entry *e)
{
	const struct message *m = e->message;
	enum session_status status;
	uint64_t state;

	if (e->memory < 0 || shm_map(e->memory, m->pid, m->inner, &e->shm, NULL))
		return false;
	e->open = true;
	e->clock = m->clock;
	if (m->index >= e->shm.head.sessions || m->first > e->shm.head.packets ||
	    m->count > e->shm.head.packets - m->first)
		return false;
	e->session = (struct session){
		.shm = &e->shm,
		.clock = &e->clock,
		.options.mode = m->mode,
		.index = m->index,
		.generation = m->generation,
		.first = m->first,
		.count = m->count,
		.lease_ticks = (uint64_t)(e->clock.hz * (SESSION_LEASE_NS / 1e9)),
	};
	status = session_status(&e->session);
	state = __atomic_load_n(&shm_session(&e->shm, m->index)->state, __ATOMIC_ACQUIRE);
	/* CLOSING: weir had switched it off already. */
	e->session.open = status != SESSION_STOLEN ||
	                  state == WEIR_SESSION_WORD(WEIR_SESSION_CLOSING, e->session.generation);
	return e->session.open;
}

static struct ctf_target about_of(const struct message *m)
{
	struct ctf_target about = {
		.process = m->process,
		.command = m->command,
		.hostname = m->hostname,
		.pid = m->pid,
		.inner_pid = m->inner,
		.cpus = m->cpus,
		.epoch_ns = m->epoch_ns,
	};

	memcpy(about.uuid, m->uuid, sizeof(about.uuid));
	return about;
}

/* The trace that weir wrote to, or a new one: weir makes them when the first packet comes. */
static int trace_open(struct keeper *keeper, struct entry *e, struct ctf_writer **ret)
{
	const struct ctf_target about = about_of(e->message);
	int folder = e->folder;

	e->folder = -1;
	if (folder < 0)
		return ctf_writer_create(keeper->record->folder, &about,
		                         &keeper->record->options.ctf, ret, &keeper->why);
	return ctf_writer_resume(folder, &about, &keeper->record->options.ctf, ret, &keeper->why);
}

struct drain {
	struct keeper *keeper;
	struct entry *entry;
	struct ctf_writer *writer;
	struct schema *schema;
};

static int take_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct drain *d = arg;
	struct stream_chunk own = *chunk;

	own.lost = record_losses_of(&d->entry->shm, chunk);
	/* There is no later: what finds no room is counted. */
	if (ctf_writer_chunk(d->writer, &d->entry->clock, d->schema, &own, &d->keeper->why)) {
		ctf_writer_discard(d->writer, chunk->slot, chunk->count);
		d->keeper->unwritten += chunk->count;
	}
	return 0;
}

/* Behind what is on disk of a slot. */
static void resume_slot(const struct drain *d, struct stream *stream, uint32_t slot)
{
	struct ctf_packet_head last;

	if (!ctf_writer_last(d->writer, slot, &last) || !last.source ||
	    last.session != d->entry->session.generation)
		return;
	if (last.source_end & CTF_COMPLETE)
		stream_resume(stream, slot, last.source + 1, WEIR_PACKET_RECORDS, 0);
	else
		stream_resume(stream, slot, last.source, last.source_end, last.source_count);
}

static void drain(const struct drain *d)
{
	struct entry *e = d->entry;
	uint32_t per_cpu = shm_slots_per_cpu(&e->shm);
	struct stream stream;

	if (stream_init(&stream, &e->session))
		return;
	for (uint32_t slot = 0; slot < e->shm.head.slots; slot++)
		resume_slot(d, &stream, slot);
	for (uint32_t cpu = 0; cpu < e->message->cpus; cpu++)
		ctf_writer_lost_base(d->writer, cpu * per_cpu, 0, e->message->losses[cpu].base,
		                     e->message->losses[cpu].before);
	for (int i = 0; i < 4; i++) /* a missing packet is believed in the second look */
		stream_look(&stream, STREAM_ALL, take_chunk, (void *)(uintptr_t)d);
	record_losses_end(d->writer, &e->session, e->message->cpus);
	stream_deinit(&stream);
}

static void entry_finish(struct keeper *keeper, struct entry *e)
{
	struct schema schema = { 0 };
	struct drain d = { .keeper = keeper, .entry = e, .schema = &schema };
	struct ctf_totals totals;

	if (!e->session.open && e->folder < 0)
		return;
	if (trace_open(keeper, e, &d.writer))
		return;
	if (e->open) {
		schema_update(&schema, &e->shm);
		clock_update(&e->clock);
	}
	if (e->session.open)
		drain(&d);
	ctf_writer_totals(d.writer, &totals);
	keeper->events += totals.events;
	keeper->traces++;
	/* Without the schema, the metadata that weir wrote stays. */
	ctf_writer_destroy(d.writer, e->open ? &e->clock : NULL, &schema);
	schema_deinit(&schema);
}

static void finish_all(struct keeper *keeper)
{
	const struct timespec grace = { 0, 10 * MS };

	lease_keeper_create(&keeper->leases);
	for (struct entry *e = keeper->entries; e; e = e->next) {
		if (!entry_open(e))
			continue;
		session_renew(&e->session);
		if (keeper->leases)
			lease_keeper_add(keeper->leases, &e->session);
		session_stop(&e->session);
	}
	nanosleep(&grace, NULL); /* fires that are under way commit */
	for (struct entry *e = keeper->entries; e; e = e->next) {
		entry_finish(keeper, e);
		if (keeper->leases)
			lease_keeper_remove(keeper->leases, &e->session);
		session_release(&e->session);
	}
	lease_keeper_destroy(keeper->leases);
}

static void keep(const struct record *record, int socket)
{
	struct keeper keeper = { .record = record };
	struct rlimit files;
	bool well;

	for (int s = 1; s < 32; s++)
		signal(s, SIG_IGN);
	setsid();
	prctl(PR_SET_NAME, "weir-keeper");
	/* Two descriptors a target. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	well = listen_to_weir(&keeper, socket);
	if (!well)
		finish_all(&keeper);
	while (keeper.entries)
		entry_drop(&keeper, keeper.entries->message->id);
	if (*keeper.why.message)
		fprintf(stderr,
		        "weir: the recorder was killed, and %s. %" PRIu64
		        " events were lost for it\n",
		        keeper.why.message, keeper.unwritten);
	if (!well && !record->options.quiet)
		fprintf(stderr,
		        "weir: the recorder was killed; %" PRIu64
		        " events of %zu process%s that it had not written yet were written to %s\n",
		        keeper.events, keeper.traces, keeper.traces == 1 ? "" : "es",
		        record->options.folder);
	_exit(0);
}

int keeper_start(const struct record *record)
{
	const struct timeval patience = { 1, 0 };
	int ends[2], room = 2 * (int)ROOM;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -1;
	/* Never wait long for a keeper that somebody stopped. */
	setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	pid = fork();
	if (!pid) {
		close(ends[1]);
		keep(record, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return -1;
	}
	return ends[1];
}
