//! What no compiler can keep: the order of modules inside a crate, files that use each other in a circle, and what has no
//! name in some modules.

mod imports;

use imports::Crate;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{Debug, Write};

/// Folders of crates, with their modules in layer order: each may use only those before it.
const CRATES: [(&str, &[&str]); 5] = [
    (
        "crates/fhectl-core/src",
        &["error", "digest", "model", "fhe", "circuit", "bundle", "protocol", "client", "server_model"],
    ),
    ("crates/fhectl-train/src", &["data", "train", "import"]),
    ("crates/fhectl-server/src", &["store", "device", "page", "server"]),
    (
        "crates/fhectl-cuda/src",
        &[
            "driver",
            "variant",
            "lane",
            "limits",
            "arguments",
            "kernels",
            "slots",
            "device",
            "choice",
            "program",
            "support",
            "key",
            "plan",
            "zeros",
            "numbers",
            "evaluate",
            "backend",
            "profile",
            "switch",
        ],
    ),
    ("src", &["client", "report", "commands"]),
];

/// Compiles as long as none of them can be printed.
macro_rules! not_debug {
    ($($secret:ty),*) => { $(const _: () = {
        trait Ambiguous<T> { const NAME: () = (); }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + Debug> Ambiguous<u8> for T {}
        <$secret as Ambiguous<_>>::NAME
    };)* };
}
not_debug!(
    fhectl::client::Encrypted,
    fhectl::client::HeldKeys,
    fhectl::client::OpenedKeys,
    fhectl::client::Passphrase,
    fhectl_core::circuit::AnswerKey<'static>,
    fhectl_core::circuit::ClientKey,
    fhectl_core::circuit::tag::client::Tag,
    fhectl_core::client::ClientKeys,
    fhectl_core::client::EncryptedRequest,
    fhectl_core::client::Pending,
    fhectl_core::fhe::GlweSecret
);

type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The module at the top that a file belongs to.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn a_module_uses_only_modules_below_it() {
    for (folder, order) in CRATES {
        let rank = |file| order.iter().position(|module| *module == top(file));
        for (file, used) in Crate::read(folder).edges() {
            for other in used {
                let upward = rank(file).zip(rank(other)).is_some_and(|(own, other)| other > own);
                assert!(!upward, "{folder}: {file} uses {other}, which is of a module above its own");
            }
        }
    }
}

#[test]
fn only_fhe_names_tfhe() {
    let core = Crate::read("crates/fhectl-core/src");
    assert_eq!(core.mention("tfhe::").find(|file| top(file) != "fhe"), None);
}

/// Cargo unites features: a build of `fhectl` would let the server name them.
#[test]
fn the_server_names_no_secret_key() {
    let server = Crate::read("crates/fhectl-server/src");
    for name in ["GlweSecret", "ClientKey", "fhectl_core::client", "fhe::encrypt", "circuit::decode", "circuit::encode"]
    {
        assert_eq!(server.mention(name).next(), None, "{name}");
    }
    // What is searched for are names: each is one of the core's.
    let core = Crate::read("crates/fhectl-core/src");
    for name in ["GlweSecret", "ClientKey", "fn encode", "fn decode"] {
        assert!(core.mention(name).next().is_some(), "{name}");
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut message = String::new();
    for (folder, _) in CRATES {
        let sources = Crate::read(folder);
        let edges = sources.edges();
        let reached: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|file| (*file, reach(&edges, file))).collect();
        let mut told = BTreeSet::new();
        for (file, from_here) in &reached {
            if !from_here.contains(file) || told.contains(file) {
                continue;
            }
            let knot: BTreeSet<&str> =
                from_here.iter().copied().filter(|other| reached[other].contains(file)).collect();
            writeln!(message, "{folder}: {} files use each other, such as {}", knot.len(), circle(&edges, file))
                .unwrap();
            for one in &knot {
                let used: Vec<&str> = edges[one].intersection(&knot).copied().collect();
                writeln!(message, "    {one} uses {}", used.join(", ")).unwrap();
            }
            told.extend(knot);
        }
    }
    assert!(message.is_empty(), "circles of imports:\n{message}");
}

/// All that a file uses, and what that uses.
fn reach<'a>(edges: &Edges<'a>, file: &str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(next) = open.pop() {
        for other in &edges[next] {
            if found.insert(*other) {
                open.push(other);
            }
        }
    }
    found
}

/// The shortest way from a file back to it.
fn circle(edges: &Edges<'_>, file: &str) -> String {
    let mut open = VecDeque::from([vec![file]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = open.pop_front() {
        for other in &edges[way.last().unwrap()] {
            let longer = [way.as_slice(), &[*other]].concat();
            if *other == file {
                return longer.join(" -> ");
            }
            if seen.insert(*other) {
                open.push_back(longer);
            }
        }
    }
    unreachable!("{file} is part of a circle")
}
