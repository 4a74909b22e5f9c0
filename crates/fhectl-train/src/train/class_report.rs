//! How well each class is told from the others.

use serde::Serialize;

/// What accuracy alone does not say, above all of rare classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// `confusion[label][predicted]`, in rows.
    pub confusion: Vec<Vec<usize>>,
    /// Of each class's rows the share that was predicted so; `None` without rows.
    pub recall: Vec<Option<f64>>,
    /// Of the rows that were predicted so the share that is; `None` where none was.
    pub precision: Vec<Option<f64>>,
    /// The mean of the recalls there are.
    pub balanced_accuracy: f64,
    /// The area under the ROC curve of the second of two classes, where scores are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
}

impl ClassReport {
    /// Of pairs of a row's label and its predicted class, `classes` in all.
    ///
    /// ```
    /// use fhectl_train::train::ClassReport;
    ///
    /// let report = ClassReport::of(2, [(0, 0), (0, 0), (0, 1), (1, 1)]);
    /// assert_eq!(report.recall, [Some(2.0 / 3.0), Some(1.0)]);
    /// assert_eq!(report.precision, [Some(1.0), Some(0.5)]);
    /// ```
    pub fn of(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut confusion = vec![vec![0; classes]; classes];
        for (label, predicted) in pairs {
            confusion[label][predicted] += 1;
        }
        let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
        let recall: Vec<Option<f64>> =
            confusion.iter().enumerate().map(|(class, row)| share(row[class], row.iter().sum())).collect();
        let column = |class: usize| confusion.iter().map(|row| row[class]).sum();
        let precision = (0..classes).map(|class| share(confusion[class][class], column(class))).collect();
        let known: Vec<f64> = recall.iter().flatten().copied().collect();
        let balanced_accuracy = known.iter().sum::<f64>() / known.len().max(1) as f64;
        Self { confusion, recall, precision, balanced_accuracy, auc: None }
    }

    /// With the area under the ROC curve: each row's label and the second class's score.
    #[must_use]
    pub fn with_scores(self, rows: &[(bool, f64)]) -> Self {
        Self { auc: auc(rows), ..self }
    }

    /// The lines that a person reads; of many classes only the worst ones.
    pub fn lines(&self, names: &[String]) -> Vec<String> {
        /// More than this many classes are not listed.
        const LISTED: usize = 12;
        let mut lines = vec![format!("balanced accuracy: {:.4}", self.balanced_accuracy)];
        if let Some(auc) = self.auc {
            lines.push(format!("AUC of {}: {auc:.4}", names[1]));
        }
        let shown = |share: Option<f64>| share.map_or("none".to_owned(), |share| format!("{share:.4}"));
        let mut order: Vec<usize> = (0..names.len()).collect();
        if names.len() > LISTED {
            let key = |class: &usize| self.recall[*class].unwrap_or(1.0);
            order.sort_by(|a, b| key(a).total_cmp(&key(b)));
            order.truncate(LISTED / 2);
        }
        for class in order {
            let rows: usize = self.confusion[class].iter().sum();
            lines.push(format!(
                "class {}: recall {}, precision {}, {rows} rows",
                names[class],
                shown(self.recall[class]),
                shown(self.precision[class])
            ));
        }
        lines
    }
}

/// The share of pairs of a row that is and one that is not, in which the first has the larger score; equal scores count
/// half. `None` where there are no such pairs.
fn auc(rows: &[(bool, f64)]) -> Option<f64> {
    let mut sorted: Vec<&(bool, f64)> = rows.iter().collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut rank, mut sum, mut positive) = (0.0, 0.0, 0usize);
    for tied in sorted.chunk_by(|a, b| a.1 == b.1) {
        let middle = rank + (tied.len() as f64 + 1.0) / 2.0;
        let here = tied.iter().filter(|row| row.0).count();
        sum += middle * here as f64;
        positive += here;
        rank += tied.len() as f64;
    }
    let negative = rows.len() - positive;
    let pairs = positive as f64 * negative as f64;
    (pairs > 0.0).then(|| (sum - positive as f64 * (positive as f64 + 1.0) / 2.0) / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_rare_class_shows() {
        let report = ClassReport::of(2, (0..100).map(|row| (usize::from(row == 0), 0)));
        assert_eq!((report.balanced_accuracy, report.recall[1], report.precision[1]), (0.5, Some(0.0), None));
        let lines = report.lines(&["no".to_owned(), "yes".to_owned()]);
        assert_eq!(lines[2], "class yes: recall 0.0000, precision none, 1 rows");
    }

    #[test]
    fn the_area_counts_pairs() {
        assert_eq!(auc(&[(false, 0.1), (true, 0.9), (false, 0.4), (true, 0.4)]), Some(0.875));
        assert_eq!(auc(&[(true, 1.0)]), None);
    }
}
