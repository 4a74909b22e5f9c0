//! A cluster: an S3 server, several `fhectl serve`, and nginx with the configuration of `deploy/nginx`.

use crate::process::{Serving, fhectl};
use crate::s3_server::{S3, STORE, free_port, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

pub struct Cluster {
    pub s3: Mutex<S3>,
    pub replicas: Vec<Replica>,
    pub proxy: Proxy,
}

impl Cluster {
    pub fn start(replicas: usize, arguments: &[&str]) -> Self {
        let s3 = S3::start();
        let variables = s3.variables();
        let replica = |_| Replica::new(arguments, &variables);
        let replicas: Vec<Replica> = (0..replicas).map(replica).collect();
        let ports: Vec<u16> = replicas.iter().map(|replica| replica.port).collect();
        Self { s3: Mutex::new(s3), replicas, proxy: Proxy::start(&ports) }
    }
}

/// One `fhectl serve`, which comes back at the same port.
pub struct Replica {
    port: u16,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    serving: Mutex<Option<Serving>>,
}

impl Replica {
    fn new(arguments: &[&str], variables: &[(&'static str, String)]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let replica = Self { port: free_port(), arguments, variables: variables.to_vec(), serving: Mutex::default() };
        assert!(replica.start(), "a server did not start");
        replica
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// SIGKILL, whatever it is doing.
    pub fn kill(&self) {
        if let Some(serving) = self.serving.lock().unwrap().take() {
            serving.kill();
        }
    }

    /// Tells whether it could: a server does not start without its store.
    pub fn start(&self) -> bool {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = fhectl(&["serve", "--listen", &listen, "--store", STORE]);
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut serving = self.serving.lock().unwrap();
        *serving = Serving::of(&mut command);
        serving.is_some()
    }
}

/// nginx, ended when dropped.
pub struct Proxy {
    child: Child,
    pub url: String,
    folder: TempDir,
}

impl Proxy {
    fn start(servers: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/fhectl.conf");
        fs::copy(&own, at("fhectl.conf")).unwrap();
        let port = free_port();
        let lines: String =
            servers.iter().map(|port| format!("server 127.0.0.1:{port} max_fails=2 fail_timeout=5s;\n")).collect();
        fs::write(at("fhectl-servers.inc"), lines).unwrap();
        fs::write(at("fhectl-listen.inc"), format!("listen 127.0.0.1:{port};\n")).unwrap();
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = kinds.iter().map(|kind| format!("{kind}_temp_path {kind};\n")).collect();
        let main = format!(
            "daemon off;\n{user}\npid nginx.pid;\nerror_log error.log;\nworker_processes 1;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n{temporary}include fhectl.conf;\n}}\n"
        );
        fs::write(at("nginx.conf"), main).unwrap();
        let child = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(at("nginx.conf"))
            .stdout(fs::File::create(at("access.log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx: {error}; scripts/cluster.sh gets it"));
        let proxy = Self { child, url: format!("http://127.0.0.1:{port}"), folder };
        wait_for(port, "nginx");
        proxy
    }

    /// One line a request, as JSON.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its workers go with it.
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
        let _ = self.child.wait();
    }
}
