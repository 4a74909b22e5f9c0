//! The circuits that a user can ask for by name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One line a kind: its variant and its name on the command line, in JSON and in tables.
macro_rules! kinds {
    ($($kind:ident = $name:literal),* $(,)?) => {
        /// A kind of circuit, as `--circuit` names it. Circuits of one kind differ in the models they run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum CircuitKind {
            $(#[serde(rename = $name)] $kind),*
        }

        impl CircuitKind {
            /// Every kind, in the order in which help texts list them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The kind's name, in kebab case.
            ///
            /// ```
            /// use fhectl_core::circuit::CircuitKind;
            /// assert_eq!(CircuitKind::PathCost.name(), "path-cost");
            /// ```
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),*
                }
            }
        }
    };
}

kinds! {
    Linear = "linear",
    PathCost = "path-cost",
    LeafSum = "leaf-sum",
    CmuxForest = "cmux-forest",
    Table = "table",
    Network = "network",
}

impl fmt::Display for CircuitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
