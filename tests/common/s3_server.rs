//! A real S3 server that tests stop, freeze and start again: s3s-fs, which `scripts/test_s3.sh` installs, or Garage.
#![allow(dead_code, reason = "no test uses all of it")]

#[path = "garage.rs"]
mod garage;

use super::process::{Serving, fhectl, stderr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const SECRET: &str = "secret-of-the-tests";
/// Where the servers keep keys.
pub const STORE: &str = "s3://bucket/keys/here";

/// A port that was free a moment ago: nobody else takes ports one by one here.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens.
pub fn wait_for(port: u16, what: &str) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not start");
        sleep(Duration::from_millis(20));
    }
}

/// The S3 server, killed when dropped.
pub struct S3 {
    child: Option<Child>,
    port: u16,
    pub folder: TempDir,
    /// Its binary, where it is Garage.
    garage: Option<PathBuf>,
}

impl S3 {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bucket")).unwrap();
        let garage = std::env::var_os("FHECTL_TEST_GARAGE").map(PathBuf::from);
        let mut s3 = Self { child: None, port: free_port(), folder, garage };
        s3.resume();
        if let Some(binary) = &s3.garage {
            garage::set_up(binary, s3.folder.path());
        }
        s3
    }

    pub fn resume(&mut self) {
        if let Some(binary) = &self.garage {
            self.child = Some(garage::start(binary, self.folder.path(), self.port));
            return wait_for(self.port, "Garage");
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/s3/bin/s3s-fs");
        let binary = std::env::var_os("FHECTL_TEST_S3").map_or(own, Into::into);
        let port = self.port.to_string();
        let child = Command::new(&binary)
            .args(["--host", "127.0.0.1", "--port", &port, "--access-key", "tests", "--secret-key", SECRET])
            .arg(self.folder.path())
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; scripts/test_s3.sh gets it", binary.display()));
        self.child = Some(child);
        wait_for(self.port, "the S3 server");
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It takes connections and never answers, until SIGCONT.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let (access, secret) = if self.garage.is_some() { (garage::ACCESS, garage::SECRET) } else { ("tests", SECRET) };
        vec![
            ("AWS_ACCESS_KEY_ID", access.into()),
            ("AWS_SECRET_ACCESS_KEY", secret.into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".into()),
        ]
    }

    pub fn serve(&self, arguments: &[&str]) -> Serving {
        let models = ["compiled_model/tree-spam", "compiled_model/tree-spam-leaf-sum"];
        Serving::start_with(STORE, &[&models[..], arguments].concat(), &self.variables())
    }

    /// `fhectl keys ...` on its store.
    pub fn keys(&self, arguments: &[&str]) -> Output {
        let (action, rest) = arguments.split_first().unwrap();
        let command = [&["keys", action, "--store", STORE], rest].concat();
        fhectl(&command).envs(self.variables()).output().unwrap()
    }

    pub fn listed(&self) -> Vec<Value> {
        let output = self.keys(&["list", "--json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["keys"].as_array().unwrap().clone()
    }

    /// Objects as they lie on the server's disk.
    pub fn objects(&self, room: &str) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
        }
        count(&self.folder.path().join("bucket/keys/here").join(room))
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}
