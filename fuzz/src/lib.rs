//! What targets share: bundles made of JSON documents, and a small model of every circuit.

pub mod documents;
pub mod toys;
