//! `export huggingface`: the repository of an Inference Endpoint. Its Python files stand in `templates`.

use crate::commands::locate::ModelArgs;
use crate::report::facts::facts;
use crate::report::{note, print_line};
use clap::Args;
use fhectl_core::bundle::{ClientSpec, folder};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
use fhectl_train::data::{self, Dataset, Holdout, Task};
use std::fs;
use std::path::{Path, PathBuf};

/// A repository that Hugging Face runs as an Inference Endpoint with a custom handler.
#[derive(Debug, Args)]
pub struct HuggingfaceArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The folder to write
    #[arg(long, env = "FHECTL_OUT", value_name = "DIR")]
    out: PathBuf,
    /// Labeled rows (CSV) that play_with_endpoint.py sends; they become part of the folder [default: the test rows of the
    /// model's built-in set]
    #[arg(long, env = "FHECTL_DATA", value_name = "FILE")]
    data: Option<PathBuf>,
    /// The folder of the built-in data sets
    #[arg(long, env = "FHECTL_DATASETS", default_value = "datasets", value_name = "DIR")]
    datasets: PathBuf,
    /// The model's license, as the hub names it: mit, apache-2.0, ...
    #[arg(long, env = "FHECTL_LICENSE", value_name = "NAME", default_value = "other")]
    license: String,
    /// Overwrite a folder that is there
    #[arg(long, env = "FHECTL_FORCE")]
    force: bool,
}

/// The files of the folder beside the model and its rows, by name.
const FILES: [(&str, &str); 6] = [
    ("README.md", include_str!("templates/README.md")),
    ("handler.py", include_str!("templates/handler.py")),
    ("play_with_endpoint.py", include_str!("templates/play_with_endpoint.py")),
    ("creating_models.py", include_str!("templates/creating_models.py")),
    ("requirements.txt", include_str!("templates/requirements.txt")),
    (".gitattributes", include_str!("templates/gitattributes")),
];

pub fn run(args: &HuggingfaceArgs) -> Result<()> {
    let client = args.model.client(None, f64::INFINITY)?;
    let spec = client.spec();
    let owner = args.model.owner_at_hand(client.id())?;
    let server_zip = args.model.server_zip()?;
    let test = test_rows(args, spec)?;
    folder::check_free(&args.out, args.force)?;

    let files: Vec<(&str, String)> =
        FILES.iter().map(|(name, text)| (*name, filled(text, spec, &args.license))).collect();
    let failed = |path: &Path, error: std::io::Error| {
        Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display()))
            .hint("check the folder and its permissions")
    };
    fs::create_dir_all(&args.out).map_err(|error| failed(&args.out, error))?;
    let card = format!("# {}\n\nSee the README of the repository.\n", spec.name);
    folder::write(&args.out.join("compiled_model"), &owner.client_zip(), &server_zip, &card, true)?;
    let rows = test.map(|text| ("test.csv", text));
    for (name, text) in files.into_iter().chain(rows) {
        let path = args.out.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    print_line!("written: {}", args.out.display());
    print_line!("compiled_model/server.zip is the model itself: keep the repository private if the model is");
    Ok(())
}

/// A template with what is known of the model.
fn filled(template: &str, spec: &ClientSpec, license: &str) -> String {
    let task = match spec.predicts() {
        Output::Classes(_) => "tabular-classification",
        Output::Value | Output::Scores(_) => "tabular-regression",
    };
    // A cell of a table is one line.
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let facts: Vec<String> =
        facts(spec).iter().map(|(label, value)| format!("| {label} | {} |", cell(value))).collect();
    let facts = format!("| | |\n|---|---|\n{}", facts.join("\n"));
    // Out of a bundle, and between quotes in Python: they must not end there.
    let literal = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let (kind, target) = (literal(&spec.kind), literal(&spec.target));
    let known = [
        ("@name@", &spec.name[..]),
        ("@kind@", &kind),
        ("@target@", &target),
        ("@task@", task),
        ("@license@", license),
        ("@version@", env!("CARGO_PKG_VERSION")),
        ("@facts@", &facts),
    ];
    // In one pass, so that a mark in what is filled in is none.
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('@') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (mark, value) = known.iter().find(|(mark, _)| rest.starts_with(mark)).unwrap_or(&("@", "@"));
        text.push_str(value);
        rest = &rest[mark.len()..];
    }
    text + rest
}

/// The rows of `test.csv`; `None` where there are none to give.
fn test_rows(args: &HuggingfaceArgs, spec: &ClientSpec) -> Result<Option<String>> {
    if let Some(path) = &args.data {
        let read = fs::read_to_string(path);
        let text = read.map_err(|error| {
            Error::new(ErrorCode::DataRead, format!("{}: {error}", path.display()))
                .hint("give labeled rows as a CSV file in UTF-8, with a header")
        })?;
        return Ok(Some(text));
    }
    // The name comes out of a bundle: only a built-in set's is looked up, never a path.
    let Some(evaluation) = spec.evaluation.as_ref().filter(|known| data::BUILT_IN.contains(&known.data.as_str()))
    else {
        note(
            "the model was not made from a built-in set, so there is no test.csv: give labeled rows with --data FILE.csv",
        );
        return Ok(None);
    };
    let task = if spec.classes.is_empty() { Task::Regress } else { Task::Classify };
    let holdout = Holdout::Share { test_size: evaluation.test_size, seed: evaluation.seed };
    let target = Some(spec.target.as_str());
    let (_, test) = data::load_split(&evaluation.data, &args.datasets, target, Some(task), holdout)?;
    table(&test).map(Some)
}

/// Rows as a CSV file.
fn table(rows: &Dataset) -> Result<String> {
    let failed = |error: csv::Error| Error::new(ErrorCode::Internal, error.to_string());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(rows.features.iter().chain([&rows.target])).map_err(failed)?;
    for (index, row) in rows.rows.iter().enumerate() {
        let label = match rows.classes.is_empty() {
            true => rows.values[index].to_string(),
            false => rows.classes[rows.labels[index] as usize].clone(),
        };
        out.write_record(row.iter().map(f64::to_string).chain([label])).map_err(failed)?;
    }
    let bytes = out.into_inner().map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::built_in::BuiltIn;

    #[test]
    fn nothing_of_a_template_is_left_open() {
        let client = BuiltIn::named("tree-spam").unwrap().client().unwrap();
        let spec = ClientSpec { target: "a \"b\"".into(), ..client.spec };
        for (name, text) in FILES {
            let text = filled(text, &spec, "mit");
            let open = ["@name@", "@kind@", "@target@", "@task@", "@license@", "@version@", "@facts@"];
            assert!(!open.iter().any(|mark| text.contains(mark)), "{name}");
        }
        assert!(filled(FILES[2].1, &spec, "mit").contains(r#"line.pop("a \"b\"")"#));
    }

    #[test]
    fn names_out_of_a_bundle_are_names_and_no_code() {
        let client = BuiltIn::named("tree-spam").unwrap().client().unwrap();
        let spec = ClientSpec { target: "@kind@@facts@".into(), kind: r#"a"; run() #\"#.into(), ..client.spec };
        assert!(filled(FILES[2].1, &spec, "mit").contains(r#"line.pop("@kind@@facts@")"#));
        assert!(filled(FILES[3].1, &spec, "mit").contains(r#"KIND, NAME = "a\"; run() #\\", "tree-spam""#));
    }
}
