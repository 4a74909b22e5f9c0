//! From what a person names to a data set.

use super::cells::{CellTable, TargetColumn};
use super::column_kinds::{id_note, looks_like_an_id};
use super::csv::{self, ModelColumns};
use super::sentinel::sentinel_note;
use super::split::{indices, split_whole};
use super::table_options::TableOptions;
use super::target::class_notes;
use super::task::Task;
use super::{Dataset, ImageShape, idx_rows, list, shipped, shorten, synthetic};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::InputSchema;
use std::path::{MAIN_SEPARATOR, Path};

/// The names of the built-in data sets.
pub const BUILT_IN: [&str; 6] = ["spam", "iris", "digits", "synthetic", "mnist", "diabetes"];

/// Where the test rows come from.
#[derive(Debug, Clone, Copy)]
pub enum Holdout<'a> {
    /// A seeded share of the rows; MNIST brings its own test rows instead.
    Share { test_size: f64, seed: u64 },
    /// A labeled CSV file with the same columns, or IDX images of the same size.
    File(&'a Path),
}

/// What to load, and how.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// A built-in name, or a file's path.
    pub spec: &'a str,
    /// The folder of the built-in sets.
    pub datasets: &'a Path,
    /// The column to predict; `None` is the last.
    pub target: Option<&'a str>,
    /// `None` is the data's own.
    pub task: Option<Task>,
    /// How a table is written.
    pub table: &'a TableOptions,
    /// What a model takes of a table; `None` infers what columns hold.
    pub schema: Option<&'a InputSchema>,
    /// Whether a table has no column to predict.
    pub unlabeled: bool,
    /// Whether labels may be all the same, as those of rows that only calibrate.
    pub lenient: bool,
}

/// Training and test rows, and what a person should know about their columns.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub train: Dataset,
    pub test: Dataset,
    pub notes: Vec<String>,
}

impl<'a> Source<'a> {
    /// A built-in set or a file as it is.
    pub fn new(spec: &'a str, datasets: &'a Path, table: &'a TableOptions) -> Self {
        Self { spec, datasets, target: None, task: None, table, schema: None, unlabeled: false, lenient: false }
    }

    /// What is read of the target, and whether it may be the same in all rows.
    fn reading(&self) -> (Task, bool) {
        (self.task(), self.lenient)
    }

    fn task(&self) -> Task {
        self.task.unwrap_or(Task::of(self.spec))
    }

    /// Loads a built-in data set (from the folder where it is there, else, but for MNIST, from the binary), a table (`.csv`, `.tsv`, `.csv.gz` and others), or IDX images (`*idx3-ubyte`, plain or
    /// `.gz`) with their labels beside them.
    ///
    /// A name that contains a path separator or has an ending of a table is a file. Of MNIST these are the training rows;
    /// [`Source::load_split`] gives both parts.
    ///
    /// # Errors
    /// `data_unknown` for a name that is neither, `data_missing` with a hint about `--datasets`, `csv_target` where the
    /// target does not suit the task, and those of the readers.
    pub fn load(&self) -> Result<Dataset> {
        let (spec, task) = (self.spec, self.task());
        let path = Path::new(spec);
        if idx_rows::is_idx(path) {
            let target = self.target.unwrap_or("label");
            return for_task(idx_rows::read_idx(path, &idx_rows::stem(path), target)?, task);
        }
        if is_path(spec) {
            return match self.table(path)? {
                Table::Numbers(data) => Ok(data),
                Table::Cells(cells) => cells.encode(&self.schema_of(&cells)?.0),
            };
        }
        self.built_in(task)
    }

    fn built_in(&self, task: Task) -> Result<Dataset> {
        let (spec, target) = (self.spec, self.target);
        if !BUILT_IN.contains(&spec) {
            return Err(Error::new(
                ErrorCode::DataUnknown,
                format!("`{}` is neither a built-in data set nor a CSV or IDX file", shorten(spec)),
            )
            .hint(format!(
                "built in are {}; a file's name ends in .csv, .tsv, .parquet, .feather, .arrow, .gz, .zip or idx3-ubyte, or has a /",
                BUILT_IN.join(", ")
            )));
        }
        if spec == "synthetic" {
            let data = synthetic();
            check_target(&data, target)?;
            return for_task(data, task);
        }
        if (Task::of(spec), task, target) == (Task::Regress, Task::Classify, None) {
            return Err(Error::new(ErrorCode::CsvTarget, format!("the target of `{spec}` is a number, not a class"))
                .hint("predict it with `create linreg`, or with `--task regress` of tree, forest or boost"));
        }
        if spec == "mnist" {
            if !self.datasets.is_dir() {
                return Err(missing(format!("no folder {} to read `{spec}` from", self.datasets.display())));
            }
            return mnist(self.datasets, target, task).map(|(train, _)| train);
        }
        let plain = ["iris", "diabetes"].contains(&spec);
        let file = format!("{spec}.csv{}", if plain { "" } else { ".gz" });
        let path = shipped::find(self.datasets, &file);
        let read = csv::read_numbers(&path, target, (task, false), &TableOptions::default()).map_err(hint_at_folder)?;
        let mut data = read.ok_or_else(|| {
            Error::new(ErrorCode::CsvCell, format!("{}: not the built-in file", path.display()))
                .hint("point `--datasets` at the project's `datasets` folder")
        })?;
        if spec == "digits" {
            data.image = Some(ImageShape { height: 8, width: 8, channels: 1 });
        }
        Ok(data)
    }

    fn table(&self, path: &Path) -> Result<Table> {
        if self.schema.is_none()
            && !self.unlabeled
            && let Some(data) = csv::read_numbers(path, self.target, self.reading(), self.table)?
        {
            return Ok(Table::Numbers(data));
        }
        let target = match (self.unlabeled, self.target) {
            (true, _) => TargetColumn::None,
            (false, Some(name)) => TargetColumn::Named(name),
            (false, None) => TargetColumn::Last,
        };
        CellTable::read(path, target, self.reading(), self.table).map(Table::Cells)
    }

    fn schema_of(&self, cells: &CellTable) -> Result<(InputSchema, Vec<String>)> {
        match self.schema {
            Some(schema) => Ok((schema.clone(), Vec::new())),
            None => cells.infer(self.table),
        }
    }

    /// Loads training and test rows; what `create` trains and judges a model on. What a table's columns hold is told by the
    /// training rows alone.
    ///
    /// # Errors
    /// Those of [`Source::load`], of [`split`](fn@super::split), and of reading the test file.
    pub fn load_split(&self, holdout: Holdout<'_>) -> Result<Loaded> {
        let mut loaded = self.split_of(holdout)?;
        if is_path(self.spec) && !idx_rows::is_idx(Path::new(self.spec)) {
            loaded.notes.extend(class_notes(&loaded.train, self.target.is_none()));
        }
        Ok(loaded)
    }

    fn split_of(&self, holdout: Holdout<'_>) -> Result<Loaded> {
        let path = Path::new(self.spec);
        if is_path(self.spec) && !idx_rows::is_idx(path) {
            let table = self.table(path)?;
            return match (table, holdout) {
                (Table::Numbers(data), Holdout::Share { test_size, seed }) => {
                    let (train, test) = split_whole(data, test_size, seed)?;
                    Ok(Loaded { notes: number_notes(&train), train, test })
                }
                (Table::Numbers(train), Holdout::File(file)) => {
                    let test = self.read_test(file, &train)?;
                    Ok(Loaded { notes: number_notes(&train), train, test })
                }
                (Table::Cells(mut cells), Holdout::Share { test_size, seed }) => {
                    let (train, test) = indices(cells.labels(), test_size, seed)?;
                    let train = cells.take(&train);
                    let (schema, notes) = self.schema_of(&train)?;
                    let encoded = train.encode(&schema)?;
                    drop(train);
                    Ok(Loaded { train: encoded, test: cells.take(&test).encode(&schema)?, notes })
                }
                (Table::Cells(cells), Holdout::File(file)) => {
                    let (schema, notes) = self.schema_of(&cells)?;
                    let train = cells.encode(&schema)?;
                    let test = self.read_test(file, &train)?;
                    Ok(Loaded { train, test, notes })
                }
            };
        }
        let (train, test) = match holdout {
            Holdout::Share { .. } if self.spec == "mnist" => mnist(self.datasets, self.target, self.task())?,
            Holdout::Share { test_size, seed } => split_whole(self.load()?, test_size, seed)?,
            Holdout::File(file) => {
                let train = self.load()?;
                let test = self.read_test(file, &train)?;
                (train, test)
            }
        };
        Ok(Loaded { train, test, notes: Vec::new() })
    }

    /// Test rows from a file of their own, as the training rows are.
    fn read_test(&self, path: &Path, train: &Dataset) -> Result<Dataset> {
        if self.unlabeled {
            let schema = InputSchema::or_numbers(train.input.as_ref(), &train.features);
            let table = CellTable::read(path, TargetColumn::None, self.reading(), self.table)?;
            return Ok(Dataset { input: train.input.clone(), ..table.encode(&schema)? });
        }
        read_labeled(path, train, self.table)
    }
}

/// The names of a table's columns.
///
/// # Errors
/// Those of opening it.
pub fn column_names(path: &Path, table: &TableOptions) -> Result<Vec<String>> {
    csv::column_names(path, table)
}

/// Whether a path is named as a file of images is.
pub fn is_images(path: &Path) -> bool {
    idx_rows::is_idx(path)
}

/// A table as it was read.
enum Table {
    Numbers(Dataset),
    Cells(CellTable),
}

/// Columns of numbers that are odd.
fn number_notes(data: &Dataset) -> Vec<String> {
    let note = |(at, name): (usize, &String)| {
        let column = data.column(at);
        let shown = shorten(name);
        if column.iter().all(|value| *value == column[0]) {
            Some(format!("`{shown}` is always {}; --drop {shown} leaves it out", column[0]))
        } else if looks_like_an_id(name, &column) {
            Some(id_note(&shown))
        } else {
            sentinel_note(name, column.into_iter())
        }
    };
    let notes: Vec<String> = data.features.iter().enumerate().filter_map(note).collect();
    match notes.len() {
        // Images have hundreds of constant pixels.
        0..=8 => notes,
        more => {
            let mut first: Vec<String> = notes.into_iter().take(4).collect();
            first.push(format!("{} more columns of a single value", more - 4));
            first
        }
    }
}

/// Labeled rows for what was made from rows such as `like`: a table with its columns, or IDX images of its size with
/// their labels beside them.
///
/// # Errors
/// Those of the readers; `image_size` and `idx_label` where images are of another size or class.
pub fn read_labeled(path: &Path, like: &Dataset, table: &TableOptions) -> Result<Dataset> {
    if idx_rows::is_idx(path) {
        return idx_rows::read_idx_for(path, &like.features, &like.classes, &like.target);
    }
    let schema = InputSchema::or_numbers(like.input.as_ref(), &like.features);
    let columns = ModelColumns { schema: &schema, missing: like.input.is_some() };
    let read = csv::read_labeled(path, columns, &like.classes, Some(&like.target), table)?;
    Ok(Dataset { input: like.input.clone(), ..read })
}

/// [`Source::load`] of what has no options.
///
/// # Errors
/// Those of [`Source::load`].
pub fn load(spec: &str, datasets: &Path, target: Option<&str>, task: Option<Task>) -> Result<Dataset> {
    Source { target, task, ..Source::new(spec, datasets, &TableOptions::default()) }.load()
}

/// [`Source::load_split`] of what has no options.
///
/// # Errors
/// Those of [`Source::load_split`].
pub fn load_split(
    spec: &str,
    datasets: &Path,
    target: Option<&str>,
    task: Option<Task>,
    holdout: Holdout<'_>,
) -> Result<(Dataset, Dataset)> {
    let table = TableOptions::default();
    let loaded = Source { target, task, ..Source::new(spec, datasets, &table) }.load_split(holdout)?;
    Ok((loaded.train, loaded.test))
}

fn mnist(datasets_dir: &Path, target: Option<&str>, task: Task) -> Result<(Dataset, Dataset)> {
    let (train, test) = idx_rows::load_mnist(&datasets_dir.join("mnist")).map_err(hint_at_folder)?;
    check_target(&train, target)?;
    Ok((for_task(train, task)?, for_task(test, task)?))
}

fn for_task(data: Dataset, task: Task) -> Result<Dataset> {
    match task {
        Task::Classify => Ok(data),
        Task::Regress => data.into_values(),
    }
}

fn is_path(spec: &str) -> bool {
    let lower = spec.to_ascii_lowercase();
    let ends = [
        ".csv", ".tsv", ".txt", ".data", ".zip", ".gz", ".parquet", ".pq", ".feather", ".arrow", ".arrows", ".ipc",
        ".xlsx", ".xls",
    ];
    spec.contains(['/', MAIN_SEPARATOR]) || ends.iter().any(|end| lower.ends_with(end))
}

fn check_target(data: &Dataset, target: Option<&str>) -> Result<()> {
    match target {
        Some(name) if name != data.target => {
            Err(Error::new(ErrorCode::CsvTarget, format!("`{}` has no label column `{}`", data.name, shorten(name)))
                .hint(format!("its label is {}", list([&data.target]))))
        }
        _ => Ok(()),
    }
}

fn hint_at_folder(error: Error) -> Error {
    if error.code == ErrorCode::DataMissing { missing(error.message) } else { error }
}

fn missing(message: String) -> Error {
    Error::new(ErrorCode::DataMissing, message)
        .hint("point `--datasets` at the `datasets` folder of fhectl's repository: MNIST is too large for the binary")
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
