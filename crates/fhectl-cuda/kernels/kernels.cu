// All entry points. README.md says what each takes.
#include "bootstrap_block.cuh"
#include "bootstrap_warp.cuh"
#include "combine.cuh"
#include "encrypt_zeros.cuh"
#include "expand_bootstrap_key.cuh"
#include "keyswitch.cuh"
#include "rows.cuh"
#include "switch_modulus.cuh"

BOOTSTRAP_ENTRY(bootstrap_block, MOST_POLYNOMIALS *WARP, bootstrap_block_of<1>)
BOOTSTRAP_ENTRY(bootstrap_pair, MOST_POLYNOMIALS *WARP, bootstrap_block_of<2>)
BOOTSTRAP_ENTRY(bootstrap_warp_k4, MOST_WARPS *WARP, bootstrap_warp_of<4>)
BOOTSTRAP_ENTRY(bootstrap_warp_k5, MOST_WARPS *WARP, bootstrap_warp_of<5>)
BOOTSTRAP_ENTRY(bootstrap_warp_k6, MOST_WARPS *WARP, bootstrap_warp_of<6>)
