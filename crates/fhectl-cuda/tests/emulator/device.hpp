// A device for `check.cpp`: memory and launches by the driver's API, errors end the check.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

extern "C" {
int cuInit(unsigned);
int cuDeviceGet(int *, int);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuModuleLoadData(void **, const void *);
int cuModuleGetFunction(void **, void *, const char *);
int cuFuncSetAttribute(void *, int, int);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
int cuCtxSynchronize();
int cuMemAlloc_v2(uint64_t *, size_t);
int cuMemFree_v2(uint64_t);
int cuMemcpyHtoD_v2(uint64_t, const void *, size_t);
int cuMemcpyDtoH_v2(void *, uint64_t, size_t);
int cuMemsetD8_v2(uint64_t, unsigned char, size_t);
int cuMemGetInfo_v2(size_t *, size_t *);
int cuDeviceGetCount(int *);
int cuStreamQuery(void *);
}

#define MUST(call)                                                                                                                   \
  do {                                                                                                                               \
    if (const int error = (call)) {                                                                                                  \
      fprintf(stderr, "%s:%d: %s gives error %d\n", __FILE__, __LINE__, #call, error);                                               \
      exit(1);                                                                                                                       \
    }                                                                                                                                \
  } while (0)

using std::vector;

/// Device memory of `T`s.
template <class T> struct Buffer {
  uint64_t at = 0;
  size_t count = 0;

  explicit Buffer(size_t count) : count(count) { MUST(cuMemAlloc_v2(&at, count * sizeof(T))); }
  Buffer(const vector<T> &values) : Buffer(values.size()) { MUST(cuMemcpyHtoD_v2(at, values.data(), count * sizeof(T))); }
  Buffer(const Buffer &) = delete;
  ~Buffer() { MUST(cuMemFree_v2(at)); }

  vector<T> read() const {
    vector<T> values(count);
    MUST(cuMemcpyDtoH_v2(values.data(), at, count * sizeof(T)));
    return values;
  }
};

struct Grid {
  unsigned x, y = 1, z = 1;
};

/// A loaded module.
class Module {
  void *module = nullptr;

public:
  explicit Module(const std::string &text) { MUST(cuModuleLoadData(&module, text.c_str())); }

  /// Arguments are `uint64_t` for pointers and `uint32_t`.
  template <class... Arguments> void launch(const std::string &name, Grid grid, unsigned threads, unsigned shared, Arguments... arguments) const {
    void *function;
    MUST(cuModuleGetFunction(&function, module, name.c_str()));
    if (shared > 48 << 10) MUST(cuFuncSetAttribute(function, 8, (int)shared));
    void *pointers[] = {&arguments...};
    MUST(cuLaunchKernel(function, grid.x, grid.y, grid.z, threads, 1, 1, shared, nullptr, pointers, nullptr));
    MUST(cuCtxSynchronize());
  }
};
