//! Which vector unit computes.

use super::vector::Vector;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};
use pulp::{Scalar, Simd, WithSimd};
use std::sync::OnceLock;

/// Work for one vector unit.
///
/// Implementations of [`Task::run`] that compute with vectors must be `inline(always)`, and so must all that they call.
pub trait Task {
    type Output;

    fn run<S: Vector>(self, s: S) -> Self::Output;
}

/// A vector unit that this machine has.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Scalar,
    /// AVX2 and FMA: four numbers.
    #[cfg(target_arch = "x86_64")]
    V3(V3),
    /// AVX-512: eight numbers, and registers for two accumulators.
    #[cfg(target_arch = "x86_64")]
    V4(V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
}

impl Unit {
    /// All that this machine has, the fastest last.
    pub fn all() -> Vec<Self> {
        let mut units = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        units.extend(V3::try_new().map(Self::V3));
        #[cfg(target_arch = "x86_64")]
        units.extend(V4::try_new().map(Self::V4));
        #[cfg(target_arch = "aarch64")]
        units.extend(pulp::aarch64::Neon::try_new().map(Self::Neon));
        units
    }

    /// The fastest of this machine, or the one that the environment variable `FHECTL_SIMD` names: `scalar`, `avx2`,
    /// `avx512` or `neon`. A name that this machine does not know changes nothing. Read once.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Unit> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let wanted = std::env::var("FHECTL_SIMD").unwrap_or_default();
            let units = Self::all();
            let named = units.iter().find(|unit| unit.name() == wanted);
            *named.or(units.last()).unwrap_or(&Self::Scalar)
        })
    }

    /// As [`Unit::chosen`] spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::V3(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::V4(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
        }
    }

    /// This unit, or one with vectors of at most `numbers` numbers.
    #[must_use]
    pub fn at_most(self, numbers: usize) -> Self {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(v4) if numbers < V4::F64_LANES => Self::V3(*v4).at_most(numbers),
            #[cfg(target_arch = "x86_64")]
            Self::V3(_) if numbers < V3::F64_LANES => Self::Scalar,
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) if numbers < pulp::aarch64::Neon::F64_LANES => Self::Scalar,
            unit => unit,
        }
    }

    /// Numbers of a vector.
    pub fn lanes(self) -> usize {
        struct Lanes;
        impl Task for Lanes {
            type Output = usize;

            fn run<S: Vector>(self, _: S) -> usize {
                S::F64_LANES
            }
        }
        self.run(Lanes)
    }

    /// Runs a task, which calls [`vectorize`] for those of its parts that compute with vectors.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Scalar => task.run(Scalar),
            #[cfg(target_arch = "x86_64")]
            Self::V3(s) => task.run(s),
            #[cfg(target_arch = "x86_64")]
            Self::V4(s) => task.run(s),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(s) => task.run(s),
        }
    }

    /// Runs a task compiled with the instructions of the unit. For loops that a compiler makes vectors of by itself.
    pub fn compute<T: Task>(self, task: T) -> T::Output {
        struct Vectorized<T>(T);
        impl<T: Task> Task for Vectorized<T> {
            type Output = T::Output;

            fn run<S: Vector>(self, s: S) -> T::Output {
                vectorize(s, self.0)
            }
        }
        self.run(Vectorized(task))
    }
}

/// Runs a task compiled with the instructions of the unit: a call of a function of its own.
#[inline(always)]
pub fn vectorize<S: Vector, T: Task>(s: S, task: T) -> T::Output {
    s.vectorize(On { s, task })
}

struct On<S, T> {
    s: S,
    task: T,
}

impl<S: Vector, T: Task> WithSimd for On<S, T> {
    type Output = T::Output;

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> T::Output {
        self.task.run(self.s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_units_are_found() {
        for unit in Unit::all() {
            assert_eq!(unit.at_most(8).name(), unit.name());
            assert!(unit.at_most(4).lanes() <= 4 && unit.at_most(2).lanes() <= 2);
        }
    }
}
