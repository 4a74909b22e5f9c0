//! Benchmarks of fhectl, in a package of their own: criterion turns on features of packages that the binary also uses,
//! and `cargo test` would compile those again. So this one is no default member; ask for it by name:
//!
//! ```sh
//! cargo bench -p fhectl-bench --bench primitives   # the single steps that the cost model is fitted to
//! cargo bench -p fhectl-bench --bench planner      # what plans predict, beside what is measured
//! cargo bench -p fhectl-bench --bench serving      # what a request costs beside computing
//! ```
