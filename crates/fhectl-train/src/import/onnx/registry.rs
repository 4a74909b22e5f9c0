//! Tables of operators.

use super::graph::{Graph, Node};

/// A row of a table of operators: who runs an operator of this domain and name.
#[derive(Debug, Clone, Copy)]
pub struct Operator<F> {
    /// Empty for the default domain.
    pub domain: &'static str,
    pub name: &'static str,
    /// The first version of the domain's operator set whose rules `run` follows.
    pub since: i64,
    pub run: F,
}

impl<F> Operator<F> {
    /// An operator of the default domain, `ai.onnx`.
    pub const fn onnx(name: &'static str, since: i64, run: F) -> Self {
        Self { domain: "", name, since, run }
    }

    /// An operator of the domain `ai.onnx.ml`.
    pub const fn ml(name: &'static str, since: i64, run: F) -> Self {
        Self { domain: "ai.onnx.ml", name, since, run }
    }

    /// An operator of another domain, in all its versions.
    pub const fn of(domain: &'static str, name: &'static str, run: F) -> Self {
        Self { domain, name, since: 1, run }
    }

    /// The row for a node: of those with its domain and name the newest that is no newer than the file's operator set.
    ///
    /// Files that state no version, or one from before the operator was there, get its oldest row: exporters are sloppy
    /// about versions, and checks of attributes and shapes catch what matters.
    pub fn find<'t>(table: &'t [Self], node: &Node, graph: &Graph) -> Option<&'t Self> {
        let version = graph.opsets.get(&node.domain).copied().unwrap_or(1);
        let rows = || table.iter().filter(|row| row.domain == node.domain && row.name == node.op);
        let newest = rows().filter(|row| row.since <= version).max_by_key(|row| row.since);
        newest.or_else(|| rows().min_by_key(|row| row.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_newest_rules_that_the_file_knows_are_taken() {
        let table =
            [Operator::onnx("Softmax", 1, "old"), Operator::onnx("Softmax", 13, "new"), Operator::ml("Gelu", 20, "ml")];
        let node = |domain: &str, op: &str| Node {
            op: op.into(),
            domain: domain.into(),
            name: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            attributes: BTreeMap::new(),
        };
        let found = |domain: &str, op: &str, version: i64| {
            let graph = Graph::empty(BTreeMap::from([(domain.to_owned(), version)]));
            Operator::find(&table, &node(domain, op), &graph).map(|row| row.run)
        };
        assert_eq!(found("", "Softmax", 12), Some("old"));
        assert_eq!(found("", "Softmax", 13), Some("new"));
        assert_eq!(found("", "Softmax", 99), Some("new"));
        assert_eq!(found("ai.onnx.ml", "Gelu", 1), Some("ml"));
        assert_eq!(found("", "Gelu", 20), None);
    }
}
