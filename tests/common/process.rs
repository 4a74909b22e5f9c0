//! Runs the real binary, to its end or as a server.
#![allow(dead_code)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub const BINARY: &str = env!("CARGO_BIN_EXE_fhectl");

/// `fhectl` in the package's folder, without this machine's variables.
pub fn fhectl(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FHECTL_") || name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
}

pub fn run(arguments: &[&str]) -> Output {
    fhectl(arguments).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs to success and returns stdout.
pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "fhectl {arguments:?}: {}\n{}", output.status, stderr(&output));
    stdout(&output)
}

/// Runs a command that must fail with this error code: exit code 1, a hint, no panic.
pub fn mistake(code: &str, arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "fhectl {arguments:?}: {text}");
    assert!(text.contains(&format!("error[{code}]")), "fhectl {arguments:?}: {text}");
    assert!(text.contains("hint: "), "fhectl {arguments:?} gives no hint: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// A running `fhectl serve`, killed (SIGKILL) when dropped.
pub struct Serving {
    pub child: Child,
    pub url: String,
}

impl Serving {
    pub fn start(store: &Path, arguments: &[&str]) -> Self {
        Self::start_with(store.to_str().unwrap(), arguments, &[])
    }

    /// With variables of its own.
    pub fn start_with(store: &str, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let command = &mut fhectl(&["serve", "--listen", "127.0.0.1:0", "--store", store]);
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        Self::of(command).expect("the server did not start")
    }

    /// A `serve` that was asked for; `None` where it does not start.
    pub fn of(command: &mut Command) -> Option<Self> {
        let mut child = command.env("FHECTL_LOG", "warn").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        match line.trim().strip_prefix("listening on ") {
            Some(url) => Some(Self { child, url: url.to_owned() }),
            None => {
                child.wait().unwrap();
                None
            }
        }
    }

    /// host:port
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// SIGKILL: no drain, no flush.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of a test's own, and the paths of names in it.
pub fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, move |name: &str| path.join(name).to_str().unwrap().to_owned())
}

/// The number after the start of a line, up to a space, a comma or a percent sign.
pub fn figure(text: &str, start: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no `{start}`: {text}"));
    line.trim().split([' ', ',', '%']).next().unwrap().parse().unwrap()
}
