// Threads of a block as fibers: they take turns on one thread of the host, and change where they have to wait for each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

namespace emulated {
struct Index {
  uint32_t x, y, z;
};

extern thread_local Index thread_index, block_index, block_size;
extern thread_local unsigned char *dynamic_shared_memory;

/// Waits until all threads of the warp, or of the block, are here.
void meet_in_warp();
void meet_in_block();
/// Lets other threads of the block run.
void give_way();
/// The value that lane `lane ^ mask` gave.
uint64_t exchange(uint64_t value, uint32_t mask);

/// What a launch runs: `thread` in each thread of each block.
struct Launch {
  std::function<void()> thread;
  Index grid, block;
  size_t shared_bytes;
};

/// Runs a block, on the thread that calls it.
void run_block(const Launch &launch, Index block);
} // namespace emulated
