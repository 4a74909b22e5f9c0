//! Loops on words that are worth a vector unit: plain loops, compiled for every unit and run on the machine's.
//!
//! Clients have no kernel of their own to choose a unit: without the feature `evaluate` such loops are compiled once.

#[cfg(feature = "evaluate")]
use super::kernel::unit::{Task, Unit};
#[cfg(feature = "evaluate")]
use super::kernel::vector::Vector;

/// A loop that a compiler makes vectors of. `run`, and all that it calls, must be `inline(always)`, or it is compiled without
/// the unit's instructions.
pub(super) trait Loop {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs a loop on the machine's vector unit.
#[inline]
pub(super) fn vectorized<L: Loop>(task: L) -> L::Output {
    #[cfg(feature = "evaluate")]
    return Unit::chosen().compute(OnUnit(task));
    #[cfg(not(feature = "evaluate"))]
    return task.run();
}

#[cfg(feature = "evaluate")]
struct OnUnit<L>(L);

#[cfg(feature = "evaluate")]
impl<L: Loop> Task for OnUnit<L> {
    type Output = L::Output;

    #[inline(always)]
    fn run<S: Vector>(self, _: S) -> L::Output {
        self.0.run()
    }
}
