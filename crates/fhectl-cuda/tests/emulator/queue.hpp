// The work of the emulated devices: one thing after the other, on threads of its own.
#pragma once
#include "fibers.hpp"

namespace emulated {
/// Adds work. Returns its number, counted from 1.
uint64_t enqueue(std::function<void()> work);
/// The number up to which all work is done.
uint64_t done();
/// Waits until all work up to this number is done.
void wait(uint64_t number);
/// The number of the work that was added last.
uint64_t last();

/// Runs all blocks of a launch on all processors. To be called by work.
void run(const Launch &launch);
} // namespace emulated
