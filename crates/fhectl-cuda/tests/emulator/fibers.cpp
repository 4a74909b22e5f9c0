#include "fibers.hpp"
#include "settings.hpp"
#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

namespace emulated {
thread_local Index thread_index, block_index, block_size;
thread_local unsigned char *dynamic_shared_memory;

namespace {
constexpr size_t STACK = 128 << 10, SHARED = 256 << 10;
constexpr uint32_t LANES = 32;

/// Threads that wait for each other.
struct Meeting {
  uint32_t members = 0, arrived = 0;
  uint64_t held = 0;

  bool arrive() {
    if (++arrived < members) return false;
    arrived = 0;
    held++;
    return true;
  }

  void leave() {
    members--;
    if (members > 0 && arrived == members) {
      arrived = 0;
      held++;
    }
  }
};

struct Warp {
  Meeting meeting;
  uint64_t values[2][LANES];
};

struct Fiber {
  jmp_buf at;
  uint32_t index;
  bool done;
  /// Which of the two places for values its next exchange uses: a lane may be one exchange ahead of others.
  uint32_t turn;
};

/// The fibers of a thread of the host. They stay, and run a thread of the device after the other.
struct Pool {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Warp> warps;
  Meeting block;
  uint32_t threads = 0, left = 0;
  Fiber *current = nullptr;
  const Launch *launch = nullptr;
  jmp_buf outside;
  ucontext_t creator;
  unsigned char *shared_end;
  const bool reversed = number("EMULATED_REVERSED", 0);

  Pool() {
    // What lies behind the memory of a block cannot be accessed.
    auto *memory = (unsigned char *)mmap(nullptr, SHARED + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + SHARED, 4096, PROT_NONE)) abort();
    shared_end = memory + SHARED;
  }

  void create();
  /// The next fiber after the current one, in a range of threads around it, that is not done.
  Fiber *after_current(uint32_t first, uint32_t count);
  [[gnu::noinline]] void switch_to(Fiber *next);
  void run_forever();
};

/// Lives as long as its thread, which lives as long as the process.
thread_local Pool *pool = nullptr;

void enter(Fiber *fiber) {
  pool->current = fiber;
  thread_index.x = fiber->index;
  _longjmp(fiber->at, 1);
}

void Pool::switch_to(Fiber *next) {
  if (next == current) return;
  if (_setjmp(current->at) == 0) enter(next);
}

Fiber *Pool::after_current(uint32_t first, uint32_t count) {
  uint32_t index = current->index;
  do {
    if (reversed)
      index = index == first ? first + count - 1 : index - 1;
    else
      index = index + 1 == first + count ? first : index + 1;
  } while (fibers[index]->done && index != current->index);
  return fibers[index].get();
}

void Pool::run_forever() {
  Fiber *self = current;
  // The creator goes on. Whoever comes back has a thread to run.
  if (_setjmp(self->at) == 0) _longjmp(outside, 1);
  for (;;) {
    launch->thread();
    self->done = true;
    warps[self->index / LANES].meeting.leave();
    block.leave();
    if (--left == 0) {
      if (_setjmp(self->at) == 0) _longjmp(outside, 1);
    } else if (_setjmp(self->at) == 0) {
      enter(after_current(0, threads));
    }
  }
}

void start_fiber() { pool->run_forever(); }

void Pool::create() {
  fibers.push_back(std::make_unique<Fiber>());
  Fiber *fiber = fibers.back().get();
  fiber->index = (uint32_t)fibers.size() - 1;
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  // Stacks that end at the same place of a page would share the same few lines of the cache.
  context.uc_stack.ss_size = STACK - fiber->index % 61 * 1088;
  context.uc_link = nullptr;
  makecontext(&context, start_fiber, 0);
  current = fiber;
  if (_setjmp(outside) == 0) setcontext(&context);
}
} // namespace

void meet_in_warp() {
  Pool &all = *pool;
  const uint32_t first = all.current->index / LANES * LANES;
  Meeting &meeting = all.warps[first / LANES].meeting;
  const uint64_t held = meeting.held;
  if (meeting.arrive()) return;
  const uint32_t count = std::min(LANES, all.threads - first);
  while (meeting.held == held) all.switch_to(all.after_current(first, count));
}

void meet_in_block() {
  Meeting &meeting = pool->block;
  const uint64_t held = meeting.held;
  if (meeting.arrive()) return;
  while (meeting.held == held) give_way();
}

void give_way() { pool->switch_to(pool->after_current(0, pool->threads)); }

uint64_t exchange(uint64_t value, uint32_t mask) {
  Fiber *self = pool->current;
  Warp &warp = pool->warps[self->index / LANES];
  uint64_t *values = warp.values[self->turn];
  self->turn ^= 1;
  values[self->index % LANES] = value;
  meet_in_warp();
  return values[(self->index % LANES) ^ mask];
}

void run_block(const Launch &launch, Index block) {
  if (!pool) pool = new Pool;
  const uint32_t threads = launch.block.x;
  while (pool->fibers.size() < threads) pool->create();
  pool->launch = &launch;
  pool->threads = pool->left = threads;
  pool->block = {threads};
  pool->warps.assign((threads + LANES - 1) / LANES, {});
  for (uint32_t t = 0; t < threads; t++) {
    pool->fibers[t]->done = false;
    pool->fibers[t]->turn = 0;
    pool->warps[t / LANES].meeting.members++;
  }
  block_index = block;
  block_size = launch.block;
  thread_index = {0, 0, 0};
  dynamic_shared_memory = pool->shared_end - (launch.shared_bytes + 15) / 16 * 16;
  // What nobody wrote must not look like zeros.
  memset(dynamic_shared_memory, 0xA5, pool->shared_end - dynamic_shared_memory);
  if (_setjmp(pool->outside) == 0) enter(pool->fibers[0].get());
}
} // namespace emulated
