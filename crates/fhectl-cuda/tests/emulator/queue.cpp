#include "queue.hpp"
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace emulated {
namespace {
/// A thread that does all work, and helpers that take blocks of the launch that is running.
struct Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  uint64_t added = 0, finished = 0;
  const Launch *launch = nullptr;
  std::atomic<uint64_t> next_block{0};
  uint32_t helping = 0;
  uint64_t launches = 0;

  Queue() {
    std::thread([this] { work_forever(); }).detach();
    for (unsigned h = 1; h < std::max(1u, std::thread::hardware_concurrency()); h++) std::thread([this] { help_forever(); }).detach();
  }

  void work_forever() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return !waiting.empty(); });
      auto work = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      work();
      lock.lock();
      finished++;
      changed.notify_all();
    }
  }

  void help_forever() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return launch && launches != seen; });
      seen = launches;
      helping++;
      const Launch *of = launch;
      lock.unlock();
      take_blocks(*of);
      lock.lock();
      helping--;
      changed.notify_all();
    }
  }

  void take_blocks(const Launch &of) {
    const uint64_t plane = (uint64_t)of.grid.x * of.grid.y, blocks = plane * of.grid.z;
    for (uint64_t b; (b = next_block++) < blocks;)
      run_block(of, {(uint32_t)(b % of.grid.x), (uint32_t)(b % plane / of.grid.x), (uint32_t)(b / plane)});
  }

  void run(const Launch &of) {
    std::unique_lock<std::mutex> lock(mutex);
    next_block = 0;
    launch = &of;
    launches++;
    changed.notify_all();
    lock.unlock();
    take_blocks(of);
    lock.lock();
    launch = nullptr;
    changed.wait(lock, [this] { return helping == 0; });
  }
};

/// Lives as long as the process: its threads do.
Queue &queue() {
  static Queue *all = new Queue;
  return *all;
}
} // namespace

uint64_t enqueue(std::function<void()> work) {
  Queue &q = queue();
  std::lock_guard<std::mutex> lock(q.mutex);
  q.waiting.push_back(std::move(work));
  q.changed.notify_all();
  return ++q.added;
}

uint64_t done() {
  std::lock_guard<std::mutex> lock(queue().mutex);
  return queue().finished;
}

uint64_t last() {
  std::lock_guard<std::mutex> lock(queue().mutex);
  return queue().added;
}

void wait(uint64_t number) {
  Queue &q = queue();
  std::unique_lock<std::mutex> lock(q.mutex);
  q.changed.wait(lock, [&] { return q.finished >= number; });
}

void run(const Launch &launch) { queue().run(launch); }
} // namespace emulated
