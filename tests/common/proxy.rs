//! A proxy between a client and a server that tampers with requests or replies.

use crate::live::{Message, ask, read_message};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the id of the key stands in a batch of answers: after magic, version and model.
const KEY_AT: usize = 4 + 2 + 32;

/// What is done to inferences.
#[derive(Clone)]
pub enum Tamper {
    Nothing,
    /// They name this key.
    Key(String),
    /// They name this key, and answers say that it was the one asked for, with a digest that is theirs.
    KeyAndItsName(String),
    /// A bit is changed in the middle of the answers of so many inferences after the first.
    Answers(usize),
}

pub struct Proxy {
    address: SocketAddr,
    inferences: Arc<AtomicUsize>,
}

impl Proxy {
    /// Runs to the end of the test.
    pub fn start(server: SocketAddr, tamper: Tamper) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inferences = Arc::new(AtomicUsize::new(0));
        let counted = inferences.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (tamper, counted) = (tamper.clone(), counted.clone());
                std::thread::spawn(move || pass_on(client, server, &tamper, &counted));
            }
        });
        Self { address, inferences }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many inferences were asked for.
    pub fn inferences(&self) -> usize {
        self.inferences.load(Ordering::Relaxed)
    }
}

/// One request and its reply, then the connection is closed.
fn pass_on(mut client: TcpStream, server: SocketAddr, tamper: &Tamper, counted: &AtomicUsize) {
    let Some(Message { first, headers, body }) = read_message(&mut client) else { return };
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("key-id")).map(|(_, value)| value.as_str());
    let inference = path.ends_with("/infer");
    let number = if inference { counted.fetch_add(1, Ordering::Relaxed) } else { 0 };
    let asked = match tamper {
        Tamper::Key(other) | Tamper::KeyAndItsName(other) if inference => Some(other.as_str()),
        _ => named,
    };
    let headers: Vec<(&str, &str)> = asked.iter().map(|id| ("key-id", *id)).collect();
    let mut reply = ask(server, method, path, &headers, &body);
    match tamper {
        Tamper::KeyAndItsName(_) if inference => {
            let end = reply.body.len() - 32;
            reply.body[KEY_AT..KEY_AT + 32].copy_from_slice(&bytes(named.unwrap()));
            let digest = Sha256::digest(&reply.body[..end]);
            reply.body[end..].copy_from_slice(&digest);
        }
        Tamper::Answers(at) if inference && number == *at => {
            let middle = reply.body.len() / 2;
            reply.body[middle] ^= 1;
        }
        _ => {}
    }
    let head =
        format!("HTTP/1.1 {} any\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", reply.status, reply.body.len());
    let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&reply.body));
}

/// The bytes of a key id.
fn bytes(id: &str) -> Vec<u8> {
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}
