//! Garage as the S3 server: one node on sqlite. `FHECTL_TEST_GARAGE` names its binary (`cargo install garage`).

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const ACCESS: &str = "GK00112233445566778899aabb";
pub const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Starts it; whether it listens is the caller's to see.
pub fn start(binary: &Path, folder: &Path, port: u16) -> Child {
    let config = folder.join("garage.toml");
    let rpc = super::free_port();
    if !config.exists() {
        let at = |name: &str| folder.join(name).display().to_string();
        let text = format!(
            "metadata_dir = '{}'\ndata_dir = '{}'\ndb_engine = 'sqlite'\nreplication_factor = 1\n\
             rpc_bind_addr = '127.0.0.1:{rpc}'\nrpc_public_addr = '127.0.0.1:{rpc}'\nrpc_secret = '{SECRET}'\n\
             [s3_api]\ns3_region = 'us-east-1'\napi_bind_addr = '127.0.0.1:{port}'\nroot_domain = '.s3.test'\n",
            at("meta"),
            at("data")
        );
        fs::write(&config, text).unwrap();
    }
    let garage = Command::new(binary).arg("-c").arg(&config).arg("server").env("RUST_LOG", "error").spawn();
    garage.unwrap_or_else(|error| panic!("{}: {error}", binary.display()))
}

/// Gives a new node its place, a bucket and a key for it.
pub fn set_up(binary: &Path, folder: &Path) {
    let run = |arguments: &[&str]| {
        let output = Command::new(binary)
            .arg("-c")
            .arg(folder.join("garage.toml"))
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "garage {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let node = run(&["node", "id", "-q"]);
    let id = node.trim().split('@').next().unwrap();
    run(&["layout", "assign", "-z", "here", "-c", "10G", id]);
    run(&["layout", "apply", "--version", "1"]);
    run(&["key", "import", "--yes", "-n", "tests", ACCESS, SECRET]);
    run(&["bucket", "create", "bucket"]);
    run(&["bucket", "allow", "--read", "--write", "--owner", "bucket", "--key", ACCESS]);
}
