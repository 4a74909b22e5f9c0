//! The circuits there are: one line each, and the one place where they are told apart.

use super::kind::CircuitKind;
#[cfg(feature = "evaluate")]
use super::plan::{Candidate, PlanRequest, Search};
use super::traits::{AsCircuit, Circuit};
use super::{cmux_forest, leaf_sum, linear, network, path_cost, path_cost_sum, table};
#[cfg(feature = "evaluate")]
use crate::error::Result;
#[cfg(feature = "evaluate")]
use crate::model::{Model, Output, Quantizer};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// `variant(parameters): kind`. The order is that of a plan's candidates that cost the same.
macro_rules! circuits {
    ($($circuit:ident($params:ty): $kind:ident),* $(,)?) => {
        /// A circuit with its parameters, as bundles hold it: all that a client must know to encrypt and decrypt, and
        /// nothing secret. What can be asked of it are the methods of [`Circuit`].
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "circuit", rename_all = "kebab-case")]
        pub enum CircuitSpec {
            $($circuit($params)),*
        }

        impl CircuitSpec {
            pub fn kind(&self) -> CircuitKind {
                match self {
                    $(Self::$circuit(_) => CircuitKind::$kind),*
                }
            }
        }

        impl Deref for CircuitSpec {
            type Target = dyn Circuit;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$circuit(params) => params),*
                }
            }
        }

        /// The search of every circuit.
        #[cfg(feature = "evaluate")]
        pub(super) const SEARCHES: &[CircuitSearch] = &[$(CircuitSearch {
            kind: CircuitKind::$kind,
            runs: <$params as Search>::runs,
            search: |model, quantizer, output, request| {
                let candidate = <$params as Search>::search(model, quantizer, output, request)?;
                Ok(candidate.map(CircuitSpec::$circuit))
            },
        }),*];
    };
}

circuits! {
    Linear(linear::LinearParams): Linear,
    PathCost(path_cost::PathCostParams): PathCost,
    PathCostSum(path_cost_sum::PathCostSumParams): PathCost,
    LeafSum(leaf_sum::LeafSumParams): LeafSum,
    CmuxForest(cmux_forest::CmuxForestParams): CmuxForest,
    Network(network::NetworkParams): Network,
    Table(table::TableParams): Table,
}

impl AsCircuit for CircuitSpec {
    fn as_circuit(&self) -> &dyn Circuit {
        &**self
    }
}

/// The [`Search`] of one circuit, as a value that a table can hold.
#[cfg(feature = "evaluate")]
pub(super) struct CircuitSearch {
    pub kind: CircuitKind,
    pub runs: fn(&Model) -> bool,
    pub search: fn(&Model, &Quantizer, Output, &PlanRequest) -> Result<Candidate<CircuitSpec>>,
}
