//! Several servers that share one S3 store: real processes, and a real S3 server (s3s-fs) that is stopped, frozen and
//! started again. `scripts/test_s3.sh` gets that server and runs these.
#![cfg(unix)]

#[path = "common/process.rs"]
mod process;
#[path = "common/s3_server.rs"]
mod s3_server;
#[path = "common/until.rs"]
mod until;

use fhectl::client::{Http, Keyring, Session};
use fhectl_core::bundle::folder;
use fhectl_core::client::policy::FAILURE_LOG2;
use fhectl_core::client::{ClientKeys, ClientModel, Detail};
use fhectl_server::store::Owner;
use process::{Serving, fhectl, stderr, stdout};
use s3_server::{S3, SECRET, STORE};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use until::until;

/// A model and a client's keys for it.
struct Client {
    model: ClientModel,
    keys: ClientKeys,
}

impl Client {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name);
        let model = ClientModel::accept(folder::read_client(&path).unwrap(), FAILURE_LOG2).unwrap();
        let ring = tempfile::tempdir().unwrap();
        let keys = Keyring::open(Some(ring.path())).unwrap().keys_for(&model).unwrap().keys;
        Self { model, keys }
    }

    fn row(&self) -> Vec<u32> {
        vec![0; self.model.spec().features.len()]
    }

    fn session<'a>(&'a self, http: &'a Http) -> Session<'a> {
        Session::new(http, &self.model, &self.keys, Detail::Prediction, Arc::default())
    }

    /// Uploads where the key is not there, and computes.
    fn use_at(&self, server: &Serving) {
        let http = Http::new(&server.url, None, Vec::new()).unwrap();
        let session = self.session(&http);
        session.bring_key(|_| {}).unwrap();
        assert_eq!(session.infer(&[self.row()]).unwrap().predictions.len(), 1);
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/models/{}/keys/{}{rest}", self.model.spec().name, self.keys.key_id())
    }

    /// One inference, not tried twice.
    fn infer(&self, server: &Serving, token: &str) -> Reply {
        let spec = self.model.spec();
        let mut entropy = fhectl_core::fhe::random::OsEntropy;
        let item =
            fhectl_core::circuit::encode(&spec.circuit, &spec.quantizer, self.keys.secret(), &self.row(), &mut entropy);
        let body = fhectl_core::protocol::frame::write_inputs(self.model.id(), None, &[item]);
        let url = format!("{}/v1/models/{}/infer", server.url, spec.name);
        Reply::of(
            agent().post(&url).header("key-id", &self.keys.key_id()).header("authorization", token).send(&body[..]),
        )
    }

    fn send(&self, server: &Serving, token: &str) -> Reply {
        for (index, part) in self.keys.evaluation().chunks(1 << 20).enumerate() {
            let url = format!("{}{}", server.url, self.path(&format!("/parts/{index}")));
            let reply = Reply::of(agent().put(&url).header("authorization", token).send(part));
            if reply.status != 200 {
                return reply;
            }
        }
        self.complete(server, token)
    }

    fn complete(&self, server: &Serving, token: &str) -> Reply {
        let url = format!("{}{}", server.url, self.path(""));
        Reply::of(agent().post(&url).header("authorization", token).send_empty())
    }

    fn delete(&self, server: &Serving, token: &str) -> Reply {
        let url = format!("{}{}", server.url, self.path(""));
        Reply::of(agent().delete(&url).header("authorization", token).call())
    }
}

/// What a request came to.
struct Reply {
    status: u16,
    code: String,
    retry_after: bool,
}

impl Reply {
    fn of(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Self {
        let mut response = response.unwrap();
        let retry_after = response.headers().contains_key("retry-after");
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_vec().unwrap();
        let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        Self { status, code: json["error"]["code"].as_str().unwrap_or_default().to_owned(), retry_after }
    }

    #[track_caller]
    fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code.as_str()), (status, code));
        assert_eq!(self.retry_after, status == 503);
    }
}

fn agent() -> ureq::Agent {
    // A connection of its own, and a bound far beyond what the server promises.
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(60))).build().new_agent()
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn parts_and_completions_go_to_any_server() {
    let s3 = S3::start();
    let servers = [s3.serve(&[]), s3.serve(&[])];
    let client = Client::new("tree-spam-leaf-sum");
    for (index, part) in client.keys.evaluation().chunks(1 << 20).enumerate() {
        let url = format!("{}{}", servers[index % 2].url, client.path(&format!("/parts/{index}")));
        // Either server takes it, and takes it again.
        for _ in 0..2 {
            Reply::of(agent().put(&url).send(part)).is(200, "");
        }
    }
    assert_eq!(s3.objects("parts"), client.keys.evaluation().len().div_ceil(1 << 20));
    // Both complete it at the same time, and both succeed.
    thread::scope(|scope| {
        let racing = servers.each_ref().map(|server| scope.spawn(|| client.complete(server, "")));
        racing.into_iter().for_each(|reply| reply.join().unwrap().is(200, ""));
    });
    servers.iter().for_each(|server| client.infer(server, "").is(200, ""));
    assert_eq!((s3.objects("keys"), s3.objects("parts")), (1, 0));

    // Many races: the same small key sent to both at once, parts and all.
    let clients: Vec<Client> = (0..8).map(|_| Client::new("tree-spam")).collect();
    for client in &clients {
        thread::scope(|scope| {
            let racing = servers.each_ref().map(|server| scope.spawn(|| client.send(server, "")));
            racing.into_iter().for_each(|reply| reply.join().unwrap().is(200, ""));
        });
        servers.iter().for_each(|server| client.infer(server, "").is(200, ""));
    }
    assert_eq!(s3.objects("keys"), 9);
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn a_deletion_reaches_every_server() {
    let s3 = S3::start();
    let servers = [s3.serve(&["--revalidate", "2s"]), s3.serve(&["--revalidate", "2s"])];
    let client = Client::new("tree-spam");
    client.use_at(&servers[0]);
    client.infer(&servers[1], "").is(200, "");
    client.delete(&servers[0], "").is(204, "");
    client.infer(&servers[0], "").is(404, "key_unknown");
    until("the other server refuses it", || client.infer(&servers[1], "").status != 200);
    client.infer(&servers[1], "").is(404, "key_unknown");

    // An operator deletes it: a client in the middle of a run uploads it again.
    client.use_at(&servers[0]);
    let http = Http::new(&servers[0].url, None, Vec::new()).unwrap();
    let session = client.session(&http);
    let output = s3.keys(&["delete", &client.keys.key_id()[..12]]);
    assert!(stdout(&output).ends_with("1 keys deleted\n"), "{}{}", stdout(&output), stderr(&output));
    until("its server refuses it", || client.infer(&servers[0], "").status != 200);
    client.infer(&servers[0], "").is(404, "key_unknown");
    session.infer(&[client.row()]).unwrap();
    assert_eq!(s3.listed().len(), 1);
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn what_is_abandoned_or_over_is_swept_by_any_number_of_servers() {
    let s3 = S3::start();
    let flags = ["--upload-ttl", "4s", "--key-ttl", "6s"];
    let servers = [s3.serve(&flags), s3.serve(&flags), s3.serve(&flags)];
    let (kept, left) = (Client::new("tree-spam"), Client::new("tree-spam-leaf-sum"));
    kept.use_at(&servers[0]);
    let url = format!("{}{}", servers[1].url, left.path("/parts/0"));
    Reply::of(agent().put(&url).send(&left.keys.evaluation()[..1 << 20])).is(200, "");
    assert_eq!((s3.objects("keys"), s3.objects("parts")), (1, 1));
    let http = Http::new(&servers[2].url, None, Vec::new()).unwrap();
    let session = kept.session(&http);
    until("both are swept", || (s3.objects("keys"), s3.objects("parts")) == (0, 0));
    servers.iter().for_each(|server| kept.infer(server, "").is(404, "key_unknown"));
    session.infer(&[kept.row()]).unwrap();
    assert_eq!(s3.objects("keys"), 1);
    left.use_at(&servers[0]);
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn a_token_has_its_quota_and_its_own_keys_on_all_servers() {
    let s3 = S3::start();
    let tokens = s3.folder.path().join("tokens");
    std::fs::write(&tokens, "alpha\nbeta\n").unwrap();
    let flags = ["--token-file", tokens.to_str().unwrap(), "--key-quota", "1", "--key-quota-bytes", "5MiB"];
    let servers = [s3.serve(&flags), s3.serve(&flags)];
    let (alpha, beta) = ("Bearer alpha", "Bearer beta");
    let (first, second, large) =
        (Client::new("tree-spam"), Client::new("tree-spam"), Client::new("tree-spam-leaf-sum"));
    first.send(&servers[0], alpha).is(200, "");
    first.send(&servers[1], alpha).is(200, "");
    second.send(&servers[1], alpha).is(403, "quota_exceeded");
    large.send(&servers[1], alpha).is(403, "quota_exceeded");
    second.send(&servers[1], beta).is(200, "");
    for server in &servers {
        first.infer(server, alpha).is(200, "");
        second.infer(server, alpha).is(404, "key_unknown");
        first.infer(server, beta).is(404, "key_unknown");
        first.delete(server, beta).is(404, "key_unknown");
    }
    let owners: Vec<String> = s3.listed().iter().map(|key| key["owner"].as_str().unwrap().to_owned()).collect();
    let of = |token: &str| Owner::of_token(token).as_str().to_owned();
    assert_eq!(owners, [of("alpha"), of("beta")], "the oldest first");
    assert!(s3.keys(&["delete", "--owner", &of("alpha")[..8]]).status.success());
    // A connection to the store may break while five megabytes go over it: that is a 503, and clients try again.
    until("the freed quota is used", || large.send(&servers[0], alpha).status == 200);
    assert_eq!(s3.listed().len(), 2);
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn a_token_has_one_row_budget_on_all_servers() {
    let mut s3 = S3::start();
    let tokens = s3.folder.path().join("tokens");
    std::fs::write(&tokens, "alpha\nbeta\n").unwrap();
    // Blocks of 2 rows.
    let flags = ["--token-file", tokens.to_str().unwrap(), "--row-budget", "512"];
    let servers = [s3.serve(&flags), s3.serve(&flags)];
    let (alpha, client) = ("Bearer alpha", Client::new("tree-spam"));
    client.send(&servers[0], alpha).is(200, "");
    let exhaust = |servers: &[Serving]| {
        let (mut answered, mut spent) = (0, vec![false; servers.len()]);
        while spent.contains(&false) {
            for (server, spent) in servers.iter().zip(&mut spent).filter(|(_, spent)| !**spent) {
                let reply = client.infer(server, alpha);
                if reply.status == 200 {
                    answered += 1;
                } else {
                    reply.is(403, "row_budget_spent");
                    *spent = true;
                }
            }
        }
        answered
    };
    client.infer(&servers[0], alpha).is(200, "");
    s3.stop();
    // One row is here, the next would have to be leased.
    client.infer(&servers[0], alpha).is(200, "");
    client.infer(&servers[0], alpha).is(503, "store_unavailable");
    s3.resume();
    // The one that saw it go asks again after a while. Rows that it leases stay its own.
    let mut answered = 0;
    until("the store answers again", || {
        let reply = client.infer(&servers[0], alpha);
        answered += usize::from(reply.status == 200);
        reply.status == 200
    });
    assert_eq!(answered + exhaust(&servers), 510, "one after the other they do not race, whatever the store");
    let again = [s3.serve(&flags)];
    assert_eq!(exhaust(&again), 0);
    let owner = Owner::of_token("alpha");
    let budgets = |arguments: &[&str]| {
        let output = fhectl(&[&["budgets"], arguments].concat()).envs(s3.variables()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let listed: Value = serde_json::from_str(&budgets(&["list", "--json", "--store", STORE])).unwrap();
    assert_eq!(listed["budgets"][0]["rows_leased"], 512);
    assert_eq!(listed["budgets"][0]["owner"], owner.as_str());
    assert!(budgets(&["reset", "--all", "--store", STORE]).ends_with("1 budgets reset\n"));
    assert_eq!(s3.objects("budgets"), 0);
    assert_eq!(exhaust(&[s3.serve(&flags)]), 512);
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn keys_in_memory_outlive_an_outage_and_the_others_are_told_to_wait() {
    let mut s3 = S3::start();
    let server = s3.serve(&["--revalidate", "1s"]);
    let strict = s3.serve(&["--revalidate", "1s", "--store-grace", "1s"]);
    let (cached, cold) = (Client::new("tree-spam"), Client::new("tree-spam"));
    cached.use_at(&server);
    cached.infer(&strict, "").is(200, "");
    let other = s3.serve(&[]);
    cold.use_at(&other);

    // Stopped: connections are refused.
    s3.stop();
    // One whose grace is over refuses, and so that time has passed for the other too.
    until("the strict server refuses", || {
        cached.infer(&server, "").is(200, "");
        cached.infer(&strict, "").status != 200
    });
    cached.infer(&strict, "").is(503, "store_unavailable");
    cold.infer(&server, "").is(503, "store_unavailable");
    s3.resume();
    until("the store answers again", || cold.infer(&server, "").status == 200);
    cached.infer(&server, "").is(200, "");
    until("the strict server asks again", || cached.infer(&strict, "").status == 200);

    // Frozen: connections are taken, and nothing comes.
    let colder = Client::new("tree-spam");
    colder.use_at(&other);
    s3.signal(rustix::process::Signal::STOP);
    thread::scope(|scope| {
        let uncached = scope.spawn(|| colder.infer(&server, "").is(503, "store_unavailable"));
        let mut answered = 0;
        // Those whose key is in memory are answered while the other one still waits for the store.
        while !uncached.is_finished() {
            cached.infer(&server, "").is(200, "");
            answered += 1;
        }
        uncached.join().unwrap();
        assert!(answered > 1);
    });
    colder.send(&server, "").is(503, "store_unavailable");
    s3.signal(rustix::process::Signal::CONT);
    until("the store answers again", || colder.infer(&server, "").status == 200);
    cached.infer(&server, "").is(200, "");
}

#[test]
#[ignore = "wants an S3 server: scripts/test_s3.sh"]
fn a_store_that_cannot_be_used_is_told_at_the_start() {
    let mut s3 = S3::start();
    let refused = |variables: Vec<(&str, String)>, url: &str| {
        let output = fhectl(&["serve", "--store", url]).envs(variables).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(!stderr(&output).contains("panicked") && !stderr(&output).contains(SECRET), "{}", stderr(&output));
        stderr(&output)
    };
    let mut wrong = s3.variables();
    wrong[1].1 = "not-the-secret".into();
    assert!(refused(wrong, "s3://bucket").contains("error[store_unwritable]"));
    let mut https_only = s3.variables();
    https_only.pop();
    assert!(refused(https_only, "s3://bucket").contains("AWS_ALLOW_HTTP"));
    s3.stop();
    assert!(refused(s3.variables(), "s3://bucket").contains("error[store_unwritable]"));
}
