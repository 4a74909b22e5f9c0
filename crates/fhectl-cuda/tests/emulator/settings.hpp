// Devices and their faults as variables of the environment ask for them. README.md lists them.
#pragma once
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>

namespace emulated {
inline std::string setting(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

inline size_t number(const char *name, size_t otherwise) {
  const std::string value = setting(name);
  return value.empty() ? otherwise : strtoull(value.c_str(), nullptr, 10);
}

inline bool exists(const std::string &path) { return !path.empty() && access(path.c_str(), F_OK) == 0; }

/// Whether devices fail once so many launches were made.
inline bool failed(size_t launches) {
  const std::string file = setting("EMULATED_FAULT_FILE"), after = setting("EMULATED_FAIL_AFTER");
  if (file.empty() && after.empty()) return false;
  return launches >= number("EMULATED_FAIL_AFTER", 0) && (file.empty() || exists(file));
}

/// Does not return while devices hang.
inline void hang() {
  while (exists(setting("EMULATED_HANG_FILE"))) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}
} // namespace emulated
