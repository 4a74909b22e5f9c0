// Bulk copies from global to shared memory, and the barriers that tell when they are complete (compute capability 9.0).
#pragma once
#include "device.cuh"

#if KEY_RING && defined(__CUDACC__)
__device__ __forceinline__ u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

/// A barrier that one copy after the other completes.
__device__ __forceinline__ void initialize_barrier(u64 *barrier) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(barrier)) : "memory");
}

/// Makes initialized barriers known to the copying unit.
__device__ __forceinline__ void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Starts a copy. Both addresses and the size are multiples of 16.
__device__ __forceinline__ void start_copy(void *to, const void *from, u32 bytes, u64 *barrier) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(to)),
               "l"(from), "r"(bytes), "r"(shared_address(barrier))
               : "memory");
}

/// Waits for the copy that completes phases of this parity: 0 for the first, then 1, 0, and so on.
__device__ __forceinline__ void wait_for_copy(u64 *barrier, u32 parity) {
  asm volatile("{\n"
               ".reg .pred complete;\n"
               "again:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 complete, [%0], %1;\n"
               "@!complete bra again;\n"
               "}" ::"r"(shared_address(barrier)),
               "r"(parity)
               : "memory");
}
#endif
