/* SPDX-License-Identifier: MIT */
/*
 * weir record: the events of live programs to disk, as CTF. Packets go from the target's memory to
 * a file as they are; nothing is decoded. Complete packets at once, and once a second what is
 * committed in the open ones, so that weir's own end costs a second's events at most.
 *
 * A keeper, a child process that does nothing but wait, cuts the files to their last whole packet
 * if weir is killed.
 *
 * Flight recorder (--overwrite): the target keeps the newest events in its buffers and nobody
 * reads; they are written on a signal and at the end. With --until, weir reads along and keeps
 * them in its own memory, since it must look at each.
 */
#include "cli/cmd.h"
#include "cli/parse.h"
#include "cli/selection.h"
#include "reader/ctf.h"
#include "reader/error.h"
#include "reader/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS             INT64_C(1000000)
#define SECOND         INT64_C(1000000000)
#define BUFFER_DEFAULT (UINT64_C(32) << 20)

struct options {
	struct selection selection;
	bool overwrite;
	bool quiet;
	const char *folder;
	const char *until;
	int64_t duration;
	uint32_t mode;
	uint64_t buffer;
	struct ctf_options ctf;
};

/* A chunk that waits in weir's own memory for --until. */
struct kept {
	struct kept *next;
	struct recording *recording;
	struct stream_chunk chunk;
	uint8_t bytes[];
};

/* One target's trace: target->user. */
struct recording {
	struct recording *next;
	struct ctf_writer *writer;
	struct clock clock;
	int64_t threads_at;
	int64_t metadata_at; /* when it is next written for its clock's sake */
	int64_t metadata_age;
	uint32_t begun; /* generation of the session that losses are counted for */
};

struct record {
	struct options options;
	struct patterns patterns;
	struct filter *until;
	struct tracer *tracer;
	struct launch launch;
	int folder;
	char hostname[65];
	struct kept *oldest, **newest;
	uint64_t kept_bytes;
	struct ctf_totals done; /* of traces that are closed */
	struct recording *recordings;
	size_t traces;
	bool dump;  /* write what the flight recorder holds in the next looks */
	bool found; /* --until */
	bool usage; /* a pattern or an expression is wrong */
	int failed;
	struct weir_error err;
	int64_t began, shown_at, synced_at;
	uint64_t shown_events;
};

static volatile sig_atomic_t interrupted, asked;

static void on_end(int signal)
{
	interrupted = signal;
}

static void on_dump(int signal)
{
	asked = signal;
}

static void usage(FILE *to)
{
	fputs(
	    "usage: weir record -o DIR -p PID [OPTIONS] [PATTERN...]\n"
	    "       weir record -o DIR --all [OPTIONS] [PATTERN...]\n"
	    "       weir record -o DIR [OPTIONS] [PATTERN...] -- COMMAND [ARGUMENT...]\n"
	    "\n"
	    "Record the events of weir probes to disk, as CTF: weir report, babeltrace2 and Trace\n"
	    "Compass read it. A PATTERN is PROVIDER:PROBE with * ? [a-z].\n"
	    "\n"
	    "  -o, --output DIR     where to; made if it is not there\n"
	    "  -p, --pid PID        record this process; may be given again\n"
	    "  -a, --all            every process that has such a probe, also later ones\n"
	    "  -f, --follow         also children that they fork\n"
	    "  -w, --wait           wait for probes that do not exist yet\n"
	    "  -d, --duration S     end after S seconds\n"
	    "  -s, --size SIZE      keep the newest SIZE bytes of each process, such as 500M\n"
	    "  -z, --compress       zstd; weir report reads it as it is, weir unpack unpacks it\n"
	    "  -O, --overwrite      flight recorder: keep the newest events in memory, write them "
	    "on\n"
	    "                       Ctrl-\\, SIGUSR1, and when the process or weir ends\n"
	    "  -u, --until EXPR     flight recorder that ends at the first event that fits: 'ms > "
	    "500'\n"
	    "  -m, --mode MODE      when the buffer is full: drop (default), block\n"
	    "  -b, --buffer SIZE    bytes per process, such as 64M (default 32M)\n"
	    "  -q, --quiet          no progress, no summary\n"
	    "  -h, --help\n",
	    to);
}

/* --- options */

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },   SELECTION_LONG,
	{ "duration", required_argument, NULL, 'd' }, { "size", required_argument, NULL, 's' },
	{ "compress", no_argument, NULL, 'z' },       { "overwrite", no_argument, NULL, 'O' },
	{ "until", required_argument, NULL, 'u' },    { "mode", required_argument, NULL, 'm' },
	{ "buffer", required_argument, NULL, 'b' },   { "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },           { 0 },
};

static int parse_option(struct options *o, int c)
{
	int shared = selection_option(&o->selection, c, optarg);

	if (shared <= 0)
		return shared ? 2 : 0;
	switch (c) {
	case 'o':
		o->folder = optarg;
		return 0;
	case 'd':
		return parse_seconds(optarg, &o->duration)
		           ? cli_wrong("--duration", optarg, "seconds, such as 10 or 0.5")
		           : 0;
	case 's':
		return parse_size(optarg, &o->ctf.size)
		           ? cli_wrong("--size", optarg, "a size, such as 500M")
		           : 0;
	case 'z':
		o->ctf.compress = true;
		return 0;
	case 'O':
		o->overwrite = true;
		return 0;
	case 'u':
		o->until = optarg;
		return 0;
	case 'm':
		if (!strcmp(optarg, "drop"))
			o->mode = WEIR_MODE_DROP;
		else if (!strcmp(optarg, "block"))
			o->mode = WEIR_MODE_BLOCK;
		else
			return cli_wrong("--mode", optarg,
			                 "drop or block; --overwrite is the flight recorder");
		return 0;
	case 'b':
		return parse_size(optarg, &o->buffer)
		           ? cli_wrong("--buffer", optarg, "a size, such as 64M")
		           : 0;
	case 'q':
		o->quiet = true;
		return 0;
	default:
		fputs("`weir record --help` says more.\n", stderr);
		return 2;
	}
}

static int check_options(const struct options *o)
{
	if (o->overwrite && o->until)
		return cli_fail("--until is a flight recorder already; leave --overwrite away");
	if (o->overwrite && o->mode == WEIR_MODE_BLOCK)
		return cli_fail("--mode block and --overwrite exclude each other");
	return 0;
}

/* 0: go on; else the exit status plus one. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int end;

	if (selection_begin(&o->selection, argc, argv, &end))
		return 3;
	o->buffer = BUFFER_DEFAULT;
	for (;;) {
		int c =
		    getopt_long(end, argv, SELECTION_SHORT "o:d:s:zOu:m:b:qh", long_options, NULL);
		int status;

		if (c < 0)
			break;
		if (c == 'h') {
			usage(stdout);
			return 1;
		}
		status = parse_option(o, c);
		if (status)
			return status + 1;
	}
	/* Where to is asked first, as it comes first in the usage. */
	if (!o->folder) {
		cli_fail("where to? -o DIR");
		return 3;
	}
	return selection_end(&o->selection, argv, optind, end, "record") || check_options(o) ? 3
	                                                                                     : 0;
}

/* --- the keeper */

/* Waits until weir says that all is well, or is gone. */
static void keep(int pipe_end, const char *folder)
{
	struct weir_error err;
	char byte;

	for (int s = 1; s < 32; s++)
		signal(s, SIG_IGN);
	setsid();
	if (read(pipe_end, &byte, 1) == 1)
		_exit(0);
	_exit(ctf_repair(folder, false, NULL, NULL, &err) < 0);
}

static int keeper_start(struct record *record)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(ends[1]);
		keep(ends[0], record->options.folder);
	}
	close(ends[0]);
	return ends[1];
}

static void keeper_stop(int pipe_end)
{
	if (pipe_end >= 0 && write(pipe_end, "k", 1) == 1)
		close(pipe_end);
}

/* --- traces */

static void command_line(pid_t pid, char *ret, size_t size)
{
	char path[32];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, ret, size - 1);
		close(fd);
	}
	if (n < 0)
		n = 0;
	while (n && !ret[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (!ret[i])
			ret[i] = ' ';
	}
	ret[n] = '\0';
}

struct naming {
	struct recording *recording;
	struct target *target;
};

static void name_thread(void *arg, const struct thread *thread)
{
	struct naming *naming = arg;

	ctf_writer_thread(naming->recording->writer, clock_now(&naming->target->clock), thread->tid,
	                  thread->name);
}

/* Names of the threads that are there now. */
static void record_threads(struct recording *r, struct target *target, int64_t now)
{
	struct naming naming = { r, target };

	if (r->threads_at && now - r->threads_at < 5 * SECOND)
		return;
	r->threads_at = now;
	threads_each_new(&target->threads, now, name_thread, &naming);
}

static struct recording *recording_of(struct record *record, struct target *target)
{
	char command[4096];
	struct ctf_target about = {
		.process = target->process->name,
		.command = command,
		.hostname = record->hostname,
		.pid = target->shm.pid,
		.inner_pid = (pid_t)target->shm.head.pid,
		.cpus = target->shm.head.cpus,
		.epoch_ns = target->clock.epoch_ns,
	};
	struct recording *r = target->user;

	if (r)
		return r;
	command_line(target->shm.pid, command, sizeof(command));
	r = calloc(1, sizeof(*r));
	if (!r) {
		record->failed = weir_err(&record->err, -ENOMEM, "no memory");
		return NULL;
	}
	if (getrandom(about.uuid, sizeof(about.uuid), GRND_NONBLOCK) < 0)
		memcpy(about.uuid, &target->shm.ino, sizeof(target->shm.ino));
	record->failed = ctf_writer_create(record->folder, &about, &record->options.ctf, &r->writer,
	                                   &record->err);
	if (!record->failed)
		record->failed =
		    ctf_writer_metadata(r->writer, &target->clock, &target->schema, &record->err);
	if (record->failed) {
		ctf_writer_destroy(r->writer, NULL, NULL);
		free(r);
		return NULL;
	}
	r->next = record->recordings;
	record->recordings = r;
	record->traces++;
	target->user = r;
	record_threads(r, target, clock_monotonic());
	return r;
}

static int write_chunk(struct record *record, struct target *target, struct recording *r,
                       const struct stream_chunk *chunk)
{
	if (record->failed)
		return record->failed;
	record->failed =
	    ctf_writer_chunk(r->writer, &target->clock, &target->schema, chunk, &record->err);
	return record->failed;
}

/* --- --until */

struct view {
	struct filter_bound *bound;
};

static void view_free(void *arg)
{
	struct view *view = arg;

	filter_bound_free(view->bound);
	free(view);
}

static struct view *view_of(struct record *record, struct schema_probe *probe,
                            struct weir_error *err)
{
	struct view *view = probe->view;

	if (view)
		return view;
	view = calloc(1, sizeof(*view));
	if (!view)
		return NULL;
	filter_bind(record->until, probe, &view->bound, err);
	probe->view = view;
	probe->view_free = view_free;
	return view;
}

static bool record_fits(struct record *record, struct target *target, const uint8_t *bytes,
                        uint32_t length)
{
	const struct weir_shm_record *head = (const void *)bytes;
	struct filter_context context = { .pid = (uint64_t)target->shm.pid,
		                          .tid = head->tid,
		                          .cpu = head->cpu };
	struct record_value values[SCHEMA_FIELDS_MAX];
	struct schema_probe *probe = schema_find(&target->schema, WEIR_RECORD_ID(head->head));
	struct view *view = probe ? view_of(record, probe, NULL) : NULL;

	return view && view->bound && record_decode(probe, bytes, length, 0, values) &&
	       filter_match(view->bound, values, &context);
}

static bool chunk_fits(struct record *record, struct target *target, const struct kept *kept)
{
	uint32_t at = 0, size = kept->chunk.to - kept->chunk.from;

	while (at < size) {
		uint32_t length = record_length(kept->bytes + at, size - at);

		if (!length)
			return false;
		if (record_fits(record, target, kept->bytes + at, length))
			return true;
		at += length;
	}
	return false;
}

static void kept_drop(struct record *record)
{
	struct kept *k = record->oldest;

	record->kept_bytes -= k->chunk.to - k->chunk.from;
	record->oldest = k->next;
	if (!record->oldest)
		record->newest = &record->oldest;
	free(k);
}

static int keep_chunk(struct record *record, struct target *target, struct recording *r,
                      const struct stream_chunk *chunk)
{
	uint32_t size = chunk->to - chunk->from;
	struct kept *k = malloc(sizeof(*k) + size);

	if (!k)
		return -ENOMEM;
	*k = (struct kept){ .recording = r, .chunk = *chunk };
	memcpy(k->bytes, chunk->packet + chunk->from, size);
	*record->newest = k;
	record->newest = &k->next;
	record->kept_bytes += size;
	while (record->kept_bytes > record->options.buffer && record->oldest->next)
		kept_drop(record);
	if (!record->found && chunk_fits(record, target, k))
		record->found = true;
	return 0;
}

/* What was kept of one target goes to disk. */
static void kept_write(struct record *record, struct target *target, struct recording *r)
{
	struct kept **at = &record->oldest;

	while (*at) {
		struct kept *k = *at;
		struct stream_chunk chunk = k->chunk;

		if (k->recording != r) {
			at = &k->next;
			continue;
		}
		/* The bytes lie where the packet's would, so that offsets stay right. */
		chunk.packet = k->bytes - chunk.from;
		write_chunk(record, target, r, &chunk);
		record->kept_bytes -= chunk.to - chunk.from;
		*at = k->next;
		free(k);
	}
	record->newest = at;
}

/* Where a session's counts of losses begin, by the first slot of each stripe. */
static void begin_losses(struct target *target, struct recording *r)
{
	uint32_t slots_per_cpu = target->shm.head.slots / target->shm.head.cpus;

	for (uint32_t cpu = 0; slots_per_cpu && cpu < target->shm.head.cpus; cpu++)
		ctf_writer_lost_base(r->writer, cpu * slots_per_cpu,
		                     target->session.lost_base ? target->session.lost_base[cpu]
		                                               : 0);
	r->begun = target->session.generation;
}

/* --- what the tracer calls */

static int on_chunk(void *arg, struct target *target, const struct stream_chunk *chunk)
{
	struct record *record = arg;
	struct recording *r = recording_of(record, target);

	if (!r)
		return record->failed;
	if (r->begun != target->session.generation)
		begin_losses(target, r);
	if (target->schema.read_to !=
	    __atomic_load_n(&shm_header(&target->shm)->schema_end, __ATOMIC_ACQUIRE))
		schema_update(&target->schema, &target->shm);
	return record->until ? keep_chunk(record, target, r, chunk)
	                     : write_chunk(record, target, r, chunk);
}

static bool on_look(void *arg, struct target *target)
{
	struct record *record = arg;

	(void)target;
	return !record->options.overwrite || record->dump;
}

static void tell_losses(struct target *target, struct recording *r)
{
	uint32_t slots_per_cpu = target->shm.head.slots / target->shm.head.cpus;

	for (uint32_t cpu = 0; slots_per_cpu && cpu < target->shm.head.cpus; cpu++)
		ctf_writer_lost(
		    r->writer, clock_now(&target->clock), cpu * slots_per_cpu,
		    __atomic_load_n(&shm_stripe(&target->shm, cpu)->lost[target->session.index],
		                    __ATOMIC_RELAXED));
}

static void on_ended(void *arg, struct target *target, bool leaving)
{
	struct record *record = arg;
	struct recording *r = target->user, **at = &record->recordings;
	struct ctf_totals totals;

	if (!r)
		return;
	if (record->until)
		kept_write(record, target, r);
	if (!leaving) {
		tell_losses(target, r);
		ctf_writer_restart(r->writer);
		return;
	}
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	ctf_writer_totals(r->writer, &totals);
	record->done.bytes += totals.bytes;
	record->done.packets += totals.packets;
	record->done.events += totals.events;
	clock_update(&target->clock);
	ctf_writer_destroy(r->writer, &target->clock, &target->schema);
	free(r);
	target->user = NULL;
}

static void on_notice(void *arg, const char *text)
{
	struct record *record = arg;

	if (record->shown_at && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	cli_fail("%s", text);
}

/* --- the loop */

static struct ctf_totals totals_now(const struct record *record)
{
	struct ctf_totals sum = record->done;

	for (const struct recording *r = record->recordings; r; r = r->next) {
		struct ctf_totals one;

		ctf_writer_totals(r->writer, &one);
		sum.bytes += one.bytes;
		sum.packets += one.packets;
		sum.events += one.events;
	}
	return sum;
}

static void show_progress(struct record *record, int64_t now)
{
	struct ctf_totals t = totals_now(record);
	double seconds = (double)(now - record->shown_at) / 1e9;

	if (record->options.quiet || !isatty(STDERR_FILENO) || now - record->shown_at < SECOND / 2)
		return;
	if (record->options.overwrite && !record->done.events)
		fprintf(stderr,
		        "\r\033[K%.0f s  flight recorder: Ctrl-\\ writes, Ctrl-C writes and ends",
		        (double)(now - record->began) / 1e9);
	else
		fprintf(
		    stderr, "\r\033[K%.0f s  %" PRIu64 " events  %.0f/s  %.1f MiB  lost %" PRIu64,
		    (double)(now - record->began) / 1e9, t.events,
		    record->shown_at ? (double)(t.events - record->shown_events) / seconds : 0.0,
		    (double)t.bytes / 1048576.0, tracer_lost(record->tracer));
	fflush(stderr);
	record->shown_at = now;
	record->shown_events = t.events;
}

/*
 * The clock in the metadata is as good as the time between its pairs is long, and the last one is
 * written at the end; this is for recordings that are cut off. New probes are written when their
 * first packet is.
 */
static void record_clock(struct record *record, struct target *target, int64_t now)
{
	struct recording *r = target->user;

	if (now < r->metadata_at)
		return;
	r->metadata_age = r->metadata_age ? 2 * r->metadata_age : SECOND;
	r->metadata_at = now + r->metadata_age;
	record->failed =
	    ctf_writer_metadata(r->writer, &target->clock, &target->schema, &record->err);
}

/* Once a second: threads' names, the metadata, and is the folder still there? */
static void each_second(struct record *record, int64_t now)
{
	struct stat st;

	for (size_t i = 0; i < record->tracer->target_count; i++) {
		struct target *t = record->tracer->targets[i];

		if (!t->user)
			continue;
		record_threads(t->user, t, now);
		if (!record->failed)
			record_clock(record, t, now);
	}
	if (!fstat(record->folder, &st) && !st.st_nlink && !record->failed)
		record->failed =
		    weir_err(&record->err, -ENOENT,
		             "the folder %s was removed while it was recorded to; what comes "
		             "would be written to nowhere",
		             record->options.folder);
}

static bool is_over(const struct record *record, int64_t now)
{
	if (interrupted || record->failed || record->found)
		return true;
	if (record->options.duration && now - record->began >= record->options.duration)
		return true;
	return tracer_ended(record->tracer);
}

static void dump(struct record *record)
{
	uint64_t before = totals_now(record).events;

	asked = 0;
	if (!record->options.overwrite)
		return;
	record->dump = true;
	for (int i = 0; i < 3; i++) /* a missing packet is believed in the second look */
		tracer_look(record->tracer);
	record->dump = false;
	if (!record->options.quiet)
		fprintf(stderr, "%sweir: wrote %" PRIu64 " events\n",
		        isatty(STDERR_FILENO) ? "\r\033[K" : "",
		        totals_now(record).events - before);
}

static void loop(struct record *record)
{
	struct tracer *tracer = record->tracer;
	int64_t now = record->began, active_at = now;

	while (!is_over(record, now)) {
		bool sync = now - record->synced_at >= SECOND;
		struct timespec ts = { 0 };
		int64_t pause;

		tracer->what = sync || record->options.overwrite ? STREAM_ALL : STREAM_COMPLETE;
		if (asked)
			dump(record);
		if (tracer_look(tracer) > 0)
			active_at = now;
		if (sync) {
			each_second(record, now);
			record->synced_at = now;
		}
		launch_reap(&record->launch);
		now = clock_monotonic();
		show_progress(record, now);
		pause = now - active_at < SECOND / 10 ? MS / 2
		        : now - active_at < SECOND    ? 2 * MS
		                                      : 10 * MS;
		ts.tv_nsec = pause;
		if (!is_over(record, now))
			ppoll(tracer->polls, tracer_polls(tracer), &ts, NULL);
		now = clock_monotonic();
	}
}

static void summary(struct record *record, const struct ctf_totals *t)
{
	double seconds = (double)(clock_monotonic() - record->began) / 1e9;
	uint64_t lost = tracer_lost(record->tracer), over = tracer_overwritten(record->tracer);

	if (record->options.quiet)
		return;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	fprintf(stderr,
	        "weir: recorded %" PRIu64
	        " events of %zu process%s in %.2f s, %.1f MiB, lost %" PRIu64,
	        t->events, record->traces, record->traces == 1 ? "" : "es", seconds,
	        (double)t->bytes / 1048576.0, lost);
	if (over)
		fprintf(stderr, ", overwritten %" PRIu64, over);
	if (record->tracer->missing + record->tracer->bad)
		fprintf(stderr, ", unreadable packets %" PRIu64,
		        record->tracer->missing + record->tracer->bad);
	fprintf(stderr, "\nweir: weir report %s%s\n", record->options.folder,
	        record->options.ctf.compress ? "" : "  (or babeltrace2)");
	if (lost)
		fputs("weir: events were lost because the disk or weir could not take them as fast "
		      "as they "
		      "came: a larger --buffer for bursts, fewer probes, --compress for a slow "
		      "disk, or "
		      "--mode block, where fires wait if the program allows it\n",
		      stderr);
	if (record->until && !record->found)
		fputs("weir: no event fitted --until\n", stderr);
}

/* --- beginning and end */

static int open_folder(struct record *record, struct weir_error *err)
{
	const char *folder = record->options.folder;

	if (mkdir(folder, 0755) && errno != EEXIST)
		return weir_err(err, -errno, "cannot make the folder %s: %s", folder,
		                strerror(errno));
	record->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (record->folder < 0)
		return weir_err(err, -errno, "cannot open the folder %s: %s", folder,
		                strerror(errno));
	if (faccessat(record->folder, ".", W_OK, AT_EACCESS))
		return weir_err(err, -errno, "cannot write to the folder %s: %s", folder,
		                strerror(errno));
	return 0;
}

/* Can --until be asked of a probe that is there? */
static int check_until(struct record *record, struct weir_error *err)
{
	size_t good = 0, refused = 0;

	for (size_t i = 0; record->until && i < record->tracer->target_count; i++) {
		struct schema *schema = &record->tracer->targets[i]->schema;

		for (uint32_t id = 1; id < schema->ids; id++) {
			struct schema_probe *probe = schema->probes[id];
			struct view *view;

			if (!probe || probe->withdrawn ||
			    !patterns_match(&record->patterns, probe->provider, probe->name))
				continue;
			view = view_of(record, probe, err);
			if (!view)
				return -ENOMEM;
			*(view->bound ? &good : &refused) += 1;
		}
	}
	return refused && !good ? -EINVAL : 0;
}

static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND };
	struct sigaction write_out = { .sa_handler = on_dump, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGQUIT, &write_out, NULL);
	sigaction(SIGUSR1, &write_out, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static int prepare(struct record *record, struct weir_error *err)
{
	const struct options *o = &record->options;
	struct tracer_options options = {
		.session = { .patterns = &record->patterns,
		             .mode = o->overwrite ? WEIR_MODE_OVERWRITE : o->mode,
		             .buffer = o->buffer,
		             .follow = o->selection.follow },
		.all = o->selection.all,
		.wait = o->selection.wait,
		.chunk = on_chunk,
		.look = on_look,
		.ended = on_ended,
		.notice = on_notice,
		.arg = record,
	};
	int code = patterns_parse(o->selection.patterns, o->selection.pattern_count,
	                          &record->patterns, err);

	if (!code && o->until) {
		code = filter_parse(o->until, &record->until, err);
		if (!strncmp(err->message, "--where", 7))
			memcpy(err->message, "--until", 7);
	}
	if (code == -EINVAL)
		record->usage = true;
	if (!code)
		code = open_folder(record, err);
	if (!code)
		code = tracer_create(&options, &record->tracer);
	return code;
}

static int run(struct record *record)
{
	struct weir_error err = { 0 };
	struct ctf_totals totals;
	int keeper = -1, code = prepare(record, &err);

	if (!code) {
		keeper = keeper_start(record);
		code = selection_attach(&record->options.selection, &record->patterns,
		                        record->tracer, &record->launch, &err);
	}
	if (!code)
		code = check_until(record, &err);
	if (code) {
		keeper_stop(keeper);
		cli_fail("%s", *err.message ? err.message : strerror(-code));
		return record->usage ? 2 : 1;
	}
	setpriority(PRIO_PROCESS, 0, -10);
	record->began = record->synced_at = clock_monotonic();
	loop(record);
	record->dump = true;
	tracer_stop(record->tracer);
	totals = totals_now(record);
	summary(record, &totals);
	tracer_destroy(record->tracer);
	record->tracer = NULL;
	keeper_stop(keeper);
	if (record->failed)
		return cli_fail("%s", record->err.message);
	return launch_finish(&record->launch);
}

int cmd_record(int argc, char **argv)
{
	struct record record = { .folder = -1 };
	int status = parse_options(argc, argv, &record.options);

	if (status)
		return status - 1;
	record.newest = &record.oldest;
	if (gethostname(record.hostname, sizeof(record.hostname) - 1))
		strcpy(record.hostname, "localhost");
	catch_signals();
	status = run(&record);
	tracer_destroy(record.tracer);
	while (record.oldest)
		kept_drop(&record);
	filter_free(record.until);
	patterns_deinit(&record.patterns);
	if (record.folder >= 0)
		close(record.folder);
	return status;
}
