// The kernels as `ptx/sm_80.ptx` has them.
#include "emulated_device.hpp"
#include "entries.hpp"

#define KEY_RING 0
namespace sm_80 {
#include "../../kernels/kernels.cu"
static const emulated::Entry entries[] = {ENTRIES};
} // namespace sm_80
const emulated::Entry *const emulated::SM_80 = sm_80::entries;
