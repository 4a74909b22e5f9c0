// The part of CUDA's driver API that the crate uses, with the kernels of this repository as the only code that devices run.
#include "entries.hpp"
#include "settings.hpp"
#include "queue.hpp"
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <sys/mman.h>
#include <vector>

using namespace emulated;

namespace {
using Result = int;
using Pointer = uint64_t;
enum : Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NOT_FOUND = 500,
  NOT_READY = 600,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
};

constexpr size_t PAGE = 4096, SHARED_BY_DEFAULT = 48 << 10;

struct Allocation {
  size_t bytes, mapped;
  void *mapping;
  size_t device;
};
struct Context {
  size_t device;
};
struct Function {
  const Entry *entry;
  size_t most_shared = SHARED_BY_DEFAULT;
};
struct Module {
  const Entry *entries;
  std::map<std::string, std::unique_ptr<Function>> functions;
};
struct Stream {
  int flags;
};
struct Event {
  std::atomic<uint64_t> number{0};
  std::chrono::steady_clock::time_point time;
};

std::mutex mutex;
std::map<Pointer, Allocation> allocations;
std::map<Pointer, size_t> pinned;
std::vector<size_t> used(64, 0);
std::atomic<size_t> launches{0};
std::atomic<bool> initialized{false};
thread_local Context *current = nullptr;

size_t devices() { return std::min<size_t>(number("EMULATED_DEVICES", 1), 64); }
size_t memory() { return number("EMULATED_MEMORY", (size_t)8 << 30); }
int capability() { return (int)number("EMULATED_CAPABILITY", 90); }
size_t most_shared() { return capability() >= 90 ? 232448 : 166912; }

/// What a call returns that does nothing else wrong.
Result state() {
  if (!initialized) return NOT_INITIALIZED;
  if (!current) return INVALID_CONTEXT;
  return failed(launches) ? LAUNCH_FAILED : SUCCESS;
}

#define CHECK_STATE()                                                                                                                \
  if (const Result wrong = state()) return wrong

/// Whether device memory has all of these bytes.
bool allocated(Pointer at, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  auto next = allocations.upper_bound(at);
  if (next == allocations.begin()) return false;
  const auto &[start, allocation] = *--next;
  return at - start <= allocation.bytes && bytes <= allocation.bytes - (at - start);
}

bool is_pinned(const void *at) {
  std::lock_guard<std::mutex> lock(mutex);
  auto next = pinned.upper_bound((Pointer)at);
  return next != pinned.begin() && (Pointer)at - std::prev(next)->first < std::prev(next)->second;
}

Result allocate(Pointer *out, size_t bytes) {
  CHECK_STATE();
  if (!out || bytes == 0) return INVALID_VALUE;
  std::lock_guard<std::mutex> lock(mutex);
  size_t &in_use = used[current->device];
  if (bytes > memory() || in_use > memory() - bytes) return OUT_OF_MEMORY;
  // What lies behind cannot be accessed, and what nobody wrote does not look like zeros.
  const size_t padded = (bytes + 15) / 16 * 16, mapped = (padded + PAGE - 1) / PAGE * PAGE;
  void *mapping = mmap(nullptr, mapped + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return OUT_OF_MEMORY;
  mprotect((char *)mapping + mapped, PAGE, PROT_NONE);
  *out = (Pointer)mapping + mapped - padded;
  memset((void *)*out, 0xA5, padded);
  allocations[*out] = {bytes, mapped + PAGE, mapping, current->device};
  in_use += bytes;
  return SUCCESS;
}

Result release(Pointer at) {
  if (at == 0) return SUCCESS;
  wait(last());
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(at);
  if (found == allocations.end()) return INVALID_VALUE;
  used[found->second.device] -= found->second.bytes;
  munmap(found->second.mapping, found->second.mapped);
  allocations.erase(found);
  return state();
}

Result synchronize() {
  CHECK_STATE();
  wait(last());
  return state();
}

Result fill(Pointer to, unsigned char value, size_t bytes) {
  CHECK_STATE();
  if (!allocated(to, bytes)) return INVALID_VALUE;
  enqueue([=] { memset((void *)to, value, bytes); });
  return SUCCESS;
}

Result copy_in(Pointer to, const void *from, size_t bytes) {
  CHECK_STATE();
  if (!allocated(to, bytes)) return INVALID_VALUE;
  if (is_pinned(from)) {
    enqueue([=] { memcpy((void *)to, from, bytes); });
  } else {
    // Memory that is not pinned may be gone when the call has returned.
    enqueue([to, bytes = std::vector<char>((const char *)from, (const char *)from + bytes)] { memcpy((void *)to, bytes.data(), bytes.size()); });
  }
  return SUCCESS;
}

Result copy_out(void *to, Pointer from, size_t bytes, bool asynchronous) {
  CHECK_STATE();
  if (!allocated(from, bytes)) return INVALID_VALUE;
  enqueue([=] { memcpy(to, (const void *)from, bytes); });
  return asynchronous && is_pinned(to) ? SUCCESS : synchronize();
}

Result copy_inside(Pointer to, Pointer from, size_t bytes) {
  CHECK_STATE();
  if (!allocated(from, bytes) || !allocated(to, bytes)) return INVALID_VALUE;
  enqueue([=] { memcpy((void *)to, (const void *)from, bytes); });
  return SUCCESS;
}

Result allocate_host(void **out, size_t bytes) {
  CHECK_STATE();
  if (!out || bytes == 0) return INVALID_VALUE;
  if (posix_memalign(out, PAGE, bytes)) return OUT_OF_MEMORY;
  std::lock_guard<std::mutex> lock(mutex);
  pinned[(Pointer)*out] = bytes;
  return SUCCESS;
}

Result make_stream(Stream **out, int flags) {
  CHECK_STATE();
  *out = new Stream{flags};
  return SUCCESS;
}
} // namespace

extern "C" {
Result cuInit(unsigned) {
  if (devices() == 0) return NO_DEVICE;
  initialized = true;
  return SUCCESS;
}
Result cuDriverGetVersion(int *version) {
  *version = 13000;
  return SUCCESS;
}

Result cuDeviceGetCount(int *count) {
  *count = (int)devices();
  return initialized ? SUCCESS : NOT_INITIALIZED;
}
Result cuDeviceGet(int *device, int ordinal) {
  if (!initialized) return NOT_INITIALIZED;
  if (ordinal < 0 || (size_t)ordinal >= devices()) return INVALID_DEVICE;
  *device = ordinal;
  return SUCCESS;
}
Result cuDeviceGetName(char *name, int length, int) {
  strncpy(name, "Emulated device", length);
  return SUCCESS;
}
Result cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
  memset(uuid, 0, 16);
  uuid[15] = (unsigned char)device;
  return SUCCESS;
}
Result cuDeviceGetUuid(unsigned char *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }
Result cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = memory();
  return SUCCESS;
}
Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  if ((size_t)device >= devices()) return INVALID_DEVICE;
  switch (attribute) {
  case 1: *value = 1024; break;                            // threads of a block
  case 8: *value = SHARED_BY_DEFAULT; break;               // shared memory of a block
  case 10: *value = 32; break;                             // a warp
  case 16: *value = 4; break;                              // multiprocessors
  case 75: *value = capability() / 10; break;              // compute capability, major
  case 76: *value = capability() % 10; break;              // and minor
  case 81: *value = (int)most_shared() + 1024; break;      // shared memory of a multiprocessor
  case 82: *value = 65536; break;                          // registers of a multiprocessor
  case 97: *value = (int)most_shared(); break;             // shared memory of a block, if asked for
  case 115: *value = 1; break;                             // pools of memory
  default: *value = 0;
  }
  return SUCCESS;
}

Result cuDevicePrimaryCtxRetain(Context **context, int device) {
  static std::vector<Context> all(64);
  if (!initialized) return NOT_INITIALIZED;
  if ((size_t)device >= devices()) return INVALID_DEVICE;
  all[device].device = device;
  *context = &all[device];
  return SUCCESS;
}
Result cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
Result cuDevicePrimaryCtxReset_v2(int) { return SUCCESS; }
Result cuCtxSetCurrent(Context *context) {
  current = context;
  return SUCCESS;
}
Result cuCtxGetCurrent(Context **context) {
  *context = current;
  return SUCCESS;
}
Result cuCtxGetDevice(int *device) {
  if (!current) return INVALID_CONTEXT;
  *device = (int)current->device;
  return SUCCESS;
}
Result cuCtxPushCurrent_v2(Context *context) { return cuCtxSetCurrent(context); }
Result cuCtxPopCurrent_v2(Context **context) {
  *context = current;
  current = nullptr;
  return SUCCESS;
}
Result cuCtxSetFlags(unsigned) { return SUCCESS; }
Result cuCtxSetLimit(int, size_t) { return SUCCESS; }
Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  *least = *greatest = 0;
  return SUCCESS;
}
Result cuCtxSynchronize() { return synchronize(); }

/// The text decides no more than for which device it is.
Result cuModuleLoadData(Module **module, const void *image) {
  CHECK_STATE();
  const char *target = strstr((const char *)image, ".target sm_");
  if (!target) return INVALID_IMAGE;
  const int of = atoi(target + strlen(".target sm_"));
  if (of > capability()) return INVALID_IMAGE;
  *module = new Module{of >= 90 ? SM_90 : SM_80, {}};
  return SUCCESS;
}
Result cuModuleLoadDataEx(Module **module, const void *image, unsigned, void *, void *) { return cuModuleLoadData(module, image); }
Result cuModuleUnload(Module *module) {
  wait(last());
  delete module;
  return SUCCESS;
}
Result cuModuleGetFunction(Function **function, Module *module, const char *name) {
  CHECK_STATE();
  for (const Entry *entry = module->entries; entry->name; entry++) {
    if (strcmp(entry->name, name)) continue;
    std::lock_guard<std::mutex> lock(mutex);
    auto &slot = module->functions[name];
    if (!slot) slot = std::make_unique<Function>(Function{entry});
    *function = slot.get();
    return SUCCESS;
  }
  return NOT_FOUND;
}
Result cuFuncSetAttribute(Function *function, int attribute, int value) {
  CHECK_STATE();
  if (attribute != 8) return SUCCESS;
  if (value < 0 || (size_t)value > most_shared()) return INVALID_VALUE;
  function->most_shared = value;
  return SUCCESS;
}
Result cuFuncGetAttribute(int *value, int attribute, Function *function) {
  *value = attribute == 8 ? (int)function->most_shared : attribute == 0 ? 1024 : 0;
  return SUCCESS;
}
Result cuFuncSetCacheConfig(Function *, int) { return SUCCESS; }
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function *, int, size_t) {
  *blocks = 1;
  return SUCCESS;
}
Result cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, Function *, int, size_t, unsigned) {
  *blocks = 1;
  return SUCCESS;
}

Result cuLaunchKernel(Function *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                      unsigned block_z, unsigned shared, Stream *, void **arguments, void **) {
  launches++;
  CHECK_STATE();
  if (!grid_x || !grid_y || !grid_z || grid_y > 65535 || grid_z > 65535 || !block_x || block_x > 1024 || block_y != 1 || block_z != 1)
    return INVALID_VALUE;
  if (shared > function->most_shared && shared > SHARED_BY_DEFAULT) return INVALID_VALUE;
  Launch launch{function->entry->bind(arguments), {grid_x, grid_y, grid_z}, {block_x, 1, 1}, shared};
  enqueue([launch = std::move(launch)] {
    hang();
    run(launch);
  });
  return SUCCESS;
}
Result cuLaunchHostFunc(Stream *, void (*function)(void *), void *data) {
  CHECK_STATE();
  enqueue([=] { function(data); });
  return SUCCESS;
}

Result cuMemAlloc_v2(Pointer *out, size_t bytes) { return allocate(out, bytes); }
Result cuMemAllocAsync(Pointer *out, size_t bytes, Stream *) { return allocate(out, bytes); }
Result cuMemFree_v2(Pointer at) { return release(at); }
Result cuMemFreeAsync(Pointer at, Stream *) { return release(at); }
Result cuMemAllocHost_v2(void **out, size_t bytes) { return allocate_host(out, bytes); }
Result cuMemHostAlloc(void **out, size_t bytes, unsigned) { return allocate_host(out, bytes); }
Result cuMemFreeHost(void *at) {
  wait(last());
  std::lock_guard<std::mutex> lock(mutex);
  if (!pinned.erase((Pointer)at)) return INVALID_VALUE;
  free(at);
  return SUCCESS;
}
Result cuMemGetInfo_v2(size_t *available, size_t *total) {
  CHECK_STATE();
  std::lock_guard<std::mutex> lock(mutex);
  *total = memory();
  *available = *total - std::min(*total, used[current->device]);
  return SUCCESS;
}
Result cuMemcpyHtoD_v2(Pointer to, const void *from, size_t bytes) {
  const Result result = copy_in(to, from, bytes);
  return result ? result : synchronize();
}
Result cuMemcpyHtoDAsync_v2(Pointer to, const void *from, size_t bytes, Stream *) { return copy_in(to, from, bytes); }
Result cuMemcpyDtoH_v2(void *to, Pointer from, size_t bytes) { return copy_out(to, from, bytes, false); }
Result cuMemcpyDtoHAsync_v2(void *to, Pointer from, size_t bytes, Stream *) { return copy_out(to, from, bytes, true); }
Result cuMemcpyDtoD_v2(Pointer to, Pointer from, size_t bytes) { return copy_inside(to, from, bytes); }
Result cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, size_t bytes, Stream *) { return copy_inside(to, from, bytes); }
Result cuMemsetD8_v2(Pointer to, unsigned char value, size_t bytes) { return fill(to, value, bytes); }
Result cuMemsetD8Async(Pointer to, unsigned char value, size_t bytes, Stream *) { return fill(to, value, bytes); }

Result cuStreamCreate(Stream **out, unsigned flags) { return make_stream(out, (int)flags); }
Result cuStreamCreateWithPriority(Stream **out, unsigned flags, int) { return make_stream(out, (int)flags); }
Result cuStreamDestroy_v2(Stream *stream) {
  delete stream;
  return SUCCESS;
}
Result cuStreamSynchronize(Stream *) { return synchronize(); }
Result cuStreamQuery(Stream *) {
  CHECK_STATE();
  return done() >= last() ? SUCCESS : NOT_READY;
}
Result cuStreamWaitEvent(Stream *, Event *, unsigned) { return state(); }
Result cuStreamIsCapturing(Stream *, int *capturing) {
  *capturing = 0;
  return SUCCESS;
}

Result cuEventCreate(Event **out, unsigned) {
  CHECK_STATE();
  *out = new Event;
  return SUCCESS;
}
Result cuEventDestroy_v2(Event *event) {
  wait(event->number);
  delete event;
  return SUCCESS;
}
Result cuEventRecord(Event *event, Stream *) {
  CHECK_STATE();
  event->number = enqueue([=] { event->time = std::chrono::steady_clock::now(); });
  return SUCCESS;
}
Result cuEventQuery(Event *event) {
  CHECK_STATE();
  return done() >= event->number ? SUCCESS : NOT_READY;
}
Result cuEventSynchronize(Event *event) {
  CHECK_STATE();
  wait(event->number);
  return state();
}
Result cuEventElapsedTime_v2(float *milliseconds, Event *start, Event *end) {
  CHECK_STATE();
  if (done() < std::max<uint64_t>(start->number, end->number)) return NOT_READY;
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return SUCCESS;
}
Result cuEventElapsedTime(float *milliseconds, Event *start, Event *end) { return cuEventElapsedTime_v2(milliseconds, start, end); }

Result cuGetErrorName(Result error, const char **name) {
  switch (error) {
  case SUCCESS: *name = "CUDA_SUCCESS"; break;
  case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
  case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
  case NOT_INITIALIZED: *name = "CUDA_ERROR_NOT_INITIALIZED"; break;
  case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
  case INVALID_DEVICE: *name = "CUDA_ERROR_INVALID_DEVICE"; break;
  case INVALID_IMAGE: *name = "CUDA_ERROR_INVALID_IMAGE"; break;
  case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
  case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
  case NOT_READY: *name = "CUDA_ERROR_NOT_READY"; break;
  case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
  case NOT_SUPPORTED: *name = "CUDA_ERROR_NOT_SUPPORTED"; break;
  default: *name = nullptr; return INVALID_VALUE;
  }
  return SUCCESS;
}
Result cuGetErrorString(Result error, const char **text) { return cuGetErrorName(error, text); }
}
