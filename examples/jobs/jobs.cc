// SPDX-License-Identifier: MIT
//
// Probes in C++: declared in the source, fired by typed inline functions. Workers take jobs from a
// queue for a while, then the program ends.
//
//   jobs [SECONDS]        default: 60
//
//   weir trace --all 'jobs:done' --where 'ok == 0'
//
#include <weir/probe.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

WEIR_PROBE(jobs, queued, (u64, id), (string, kind), (u32, depth))
WEIR_PROBE(jobs, done, (u64, id), (string, kind), (u32, worker), (f64, ms), (bool, ok))

using Clock = std::chrono::steady_clock;

struct Job {
	uint64_t id;
	std::string kind;
};

class Queue
{
      public:
	void put(Job job)
	{
		std::lock_guard<std::mutex> hold(lock);

		jobs.push_back(std::move(job));
		WEIR_PROBE_FIRE(jobs, queued, jobs.back().id, jobs.back().kind.c_str(),
		                static_cast<uint32_t>(jobs.size()));
		more.notify_one();
	}

	// False: closed and empty.
	bool take(Job &job)
	{
		std::unique_lock<std::mutex> hold(lock);

		more.wait(hold, [this] { return closed || !jobs.empty(); });
		if (jobs.empty())
			return false;
		job = std::move(jobs.front());
		jobs.pop_front();
		return true;
	}

	void close()
	{
		std::lock_guard<std::mutex> hold(lock);

		closed = true;
		more.notify_all();
	}

      private:
	std::mutex lock;
	std::condition_variable more;
	std::deque<Job> jobs;
	bool closed = false;
};

static void work(Queue &queue, uint32_t worker)
{
	std::mt19937 random(worker);
	Job job;

	while (queue.take(job)) {
		auto start = Clock::now();
		bool ok = random() % 20 != 0;

		std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 5000));
		std::chrono::duration<double, std::milli> took = Clock::now() - start;
		WEIR_PROBE_FIRE(jobs, done, job.id, job.kind.c_str(), worker, took.count(), ok);
	}
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "resize", "mail", "index" };
	int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
	std::vector<std::thread> workers;
	Queue queue;

	// A program that cannot be watched still works.
	if (int err = WEIR_PUBLISH(jobs))
		std::fprintf(stderr, "jobs: no probes: %s\n", std::strerror(-err));

	for (uint32_t i = 0; i < 4; i++)
		workers.emplace_back(work, std::ref(queue), i);
	auto end = Clock::now() + std::chrono::seconds(seconds);
	for (uint64_t id = 1; Clock::now() < end; id++) {
		queue.put({ id, kinds[id % 3] });
		std::this_thread::sleep_for(std::chrono::milliseconds(2));
	}
	queue.close();
	for (std::thread &worker : workers)
		worker.join();
	WEIR_WITHDRAW(jobs);
	return 0;
}
