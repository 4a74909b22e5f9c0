//! What targets share: bundles made of JSON documents, a small model of every circuit, and the use of imported models.

pub mod documents;
pub mod imports;
pub mod toys;
