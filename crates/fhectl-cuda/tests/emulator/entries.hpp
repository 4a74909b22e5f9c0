// The entry points of a module, and how they are called with arguments of any types.
#pragma once
#include <functional>
#include <tuple>
#include <utility>

namespace emulated {
/// A call of an entry point with the arguments to which `cuLaunchKernel` has pointers. They are copied.
using Bind = std::function<void()> (*)(void **arguments);

struct Entry {
  const char *name;
  Bind bind;
};

template <auto FUNCTION> struct Binder;
template <class... Arguments, void (*FUNCTION)(Arguments...)> struct Binder<FUNCTION> {
  template <size_t... I> static std::tuple<Arguments...> copy(void **arguments, std::index_sequence<I...>) {
    return {*(Arguments *)arguments[I]...};
  }
  static std::function<void()> bind(void **arguments) {
    return [values = copy(arguments, std::index_sequence_for<Arguments...>())] { std::apply(FUNCTION, values); };
  }
};

/// Ends with an entry without a name.
extern const Entry *const SM_80;
extern const Entry *const SM_90;
} // namespace emulated

#define ENTRY(NAME) {#NAME, emulated::Binder<NAME>::bind}
#define ENTRIES                                                                                                                      \
  ENTRY(encrypt_zeros), ENTRY(expand_bootstrap_key), ENTRY(expand_keyswitch_key), ENTRY(extract_inputs),                             \
      ENTRY(combine_dense), ENTRY(combine_sparse), ENTRY(keyswitch_digits), ENTRY(keyswitch_product),                                \
      ENTRY(switch_modulus), ENTRY(bootstrap_block), ENTRY(bootstrap_pair),                                                          \
      ENTRY(bootstrap_warp_k4), ENTRY(bootstrap_warp_k5), ENTRY(bootstrap_warp_k6), {nullptr, nullptr}
