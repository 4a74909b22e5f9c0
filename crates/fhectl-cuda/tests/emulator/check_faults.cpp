// The faults that the emulated driver shows where the environment asks for them.
#include "device.hpp"
#include <fstream>

static int failures = 0;

static void expect(int got, int want, const char *what) {
  printf("%s: %s\n", got == want ? "ok" : "WRONG", what);
  failures += got != want;
}
static void touch(const std::string &path) { std::ofstream(path) << "here"; }

int main(int, char **arguments) {
  const std::string folder = std::string(arguments[0]).substr(0, std::string(arguments[0]).rfind('/') + 1);
  const std::string fault = folder + "fault", hang = folder + "hang";
  int device, count;
  void *context, *function, *module;
  size_t available, total;
  uint64_t at, more;
  setenv("EMULATED_DEVICES", "0", 1);
  expect(cuInit(0), 100, "no device");
  setenv("EMULATED_DEVICES", "2", 1);
  MUST(cuInit(0));
  MUST(cuDeviceGetCount(&count));
  expect(count, 2, "two devices");
  expect(cuDeviceGet(&device, 2), 101, "not a third");
  MUST(cuDeviceGet(&device, 1));
  MUST(cuDevicePrimaryCtxRetain(&context, device));
  expect(cuMemAlloc_v2(&at, 1), 201, "no memory without a context");
  MUST(cuCtxSetCurrent(context));
  expect(cuModuleLoadData(&module, "no module"), 200, "a module that is none");
  setenv("EMULATED_CAPABILITY", "80", 1);
  expect(cuModuleLoadData(&module, ".target sm_90"), 200, "a module for newer devices");
  unsetenv("EMULATED_CAPABILITY");

  setenv("EMULATED_MEMORY", "1000000", 1);
  MUST(cuMemAlloc_v2(&at, 600000));
  expect(cuMemAlloc_v2(&more, 600000), 2, "more memory than there is");
  MUST(cuMemGetInfo_v2(&available, &total));
  expect(available == 400000 && total == 1000000, 1, "what is left of it");
  std::vector<char> bytes(600001);
  expect(cuMemcpyHtoD_v2(at, bytes.data(), 600001), 1, "a copy that goes too far");

  MUST(cuModuleLoadData(&module, ".target sm_90"));
  expect(cuModuleGetFunction(&function, module, "no_kernel"), 500, "a kernel that is none");
  MUST(cuModuleGetFunction(&function, module, "keyswitch_digits"));
  uint32_t stride = 128, from = 8, base_log = 2, levels = 2, to = 4;
  uint64_t rows = at, digits = at + 4096, out = at + 8192;
  void *all[] = {&rows, &stride, &from, &base_log, &levels, &digits, &out, &stride, &to};
  const auto launch = [&](unsigned threads, unsigned shared) { return cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, shared, nullptr, all, nullptr); };
  expect(launch(256, 0), 0, "a launch");
  expect(launch(256, 60000), 1, "more shared memory than allowed");
  expect(launch(2048, 0), 1, "more threads than a block has");

  touch(hang);
  setenv("EMULATED_HANG_FILE", hang.c_str(), 1);
  expect(launch(256, 0), 0, "a launch that hangs returns");
  expect(cuStreamQuery(nullptr), 600, "and is not done");
  remove(hang.c_str());
  expect(cuCtxSynchronize(), 0, "until it no longer hangs");

  setenv("EMULATED_FAIL_AFTER", "6", 1);
  expect(launch(256, 0), 0, "launch five");
  expect(cuCtxSynchronize(), 0, "is done");
  touch(fault);
  setenv("EMULATED_FAULT_FILE", fault.c_str(), 1);
  expect(launch(256, 0), 719, "launch six fails");
  expect(cuCtxSynchronize(), 719, "and all that follows");
  expect(cuMemAlloc_v2(&more, 1), 719, "memory as well");
  remove(fault.c_str());
  expect(launch(256, 0), 0, "until the device is well again");
  expect(cuCtxSynchronize(), 0, "and does its work");
  return failures != 0;
}
