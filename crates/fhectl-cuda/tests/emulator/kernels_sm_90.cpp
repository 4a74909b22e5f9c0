// The kernels as `ptx/sm_90.ptx` has them.
#include "emulated_device.hpp"
#include "entries.hpp"

#define KEY_RING 1
namespace sm_90 {
#include "../../kernels/kernels.cu"
static const emulated::Entry entries[] = {ENTRIES};
} // namespace sm_90
const emulated::Entry *const emulated::SM_90 = sm_90::entries;
