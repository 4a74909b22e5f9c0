//! Which files of a crate use which others: paths of `use` and of code, followed through re-exports to the file that
//! defines what they name.

use regex_lite::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;

/// One module, a file.
#[derive(Default)]
struct Source {
    file: String,
    /// Without comments and tests.
    text: String,
    /// Without `use` and `mod` either.
    code: String,
    /// What stands in `code`: all its words, and the names of what it defines.
    words: BTreeSet<String>,
    items: BTreeSet<String>,
    /// Names of `use`: what they stand for, and whether they are passed on (`pub use`).
    names: BTreeMap<String, (Module, bool)>,
    /// Modules of which everything is passed on.
    globs: Vec<Module>,
}

pub struct Crate {
    modules: BTreeMap<Module, Source>,
}

impl Crate {
    /// Reads the sources below a folder of this repository.
    pub fn read(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut modules = BTreeMap::new();
        walk(&root, &root, &mut modules);
        assert!(modules.len() > 10, "{folder}");
        let mut all = Self { modules };
        all.read_uses();
        all
    }

    fn read_uses(&mut self) {
        let uses = Regex::new(r"(?m)^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);").unwrap();
        let declarations = Regex::new(r"\bmod\s+\w+;").unwrap();
        // But for methods and fields, which have a name like a function now and then.
        let words = Regex::new(r"(?:^|[^.\w]|\.\.)(\w+)").unwrap();
        let items = Regex::new(r"\b(?:fn|struct|enum|trait|type|const|static|union)\s+(\w+)").unwrap();
        let known: BTreeSet<Module> = self.modules.keys().cloned().collect();
        for (module, source) in &mut self.modules {
            for found in uses.captures_iter(&source.text) {
                for (path, name) in leaves(&found[2], &[]) {
                    let Some(path) = absolute(&known, module, &path) else { continue };
                    match name.as_str() {
                        "*" => source.globs.push(path),
                        _ => drop(source.names.insert(name, (path, found.get(1).is_some()))),
                    }
                }
            }
            source.code = declarations.replace_all(&uses.replace_all(&source.text, ""), "").into_owned();
            source.words = words.captures_iter(&source.code).map(|found| found[1].to_owned()).collect();
            source.items = items.captures_iter(&source.code).map(|found| found[1].to_owned()).collect();
        }
    }

    /// The files that have this text in their code.
    pub fn mention(&self, text: &str) -> impl Iterator<Item = &str> {
        self.modules.values().filter(move |source| source.text.contains(text)).map(|source| source.file.as_str())
    }

    /// The files that each file uses. What a module merely passes on is no use of it.
    pub fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let paths = Regex::new(r"\b[A-Za-z_]\w*(?:::\w+)+").unwrap();
        let known: BTreeSet<Module> = self.modules.keys().cloned().collect();
        let mut edges = BTreeMap::new();
        for (module, source) in &self.modules {
            let mut used = BTreeSet::new();
            for (name, (path, passed_on)) in &source.names {
                // A module's name alone says nothing: what is taken out of it comes below.
                if !known.contains(path) && (!passed_on || source.words.contains(name)) {
                    used.extend(self.definition(path, 0));
                }
            }
            for found in paths.find_iter(&source.code) {
                let path: Module = found.as_str().split("::").map(str::to_owned).collect();
                let path = match source.names.get(&path[0]) {
                    Some((start, _)) => Some([start, &path[1..]].concat()),
                    None => absolute(&known, module, &path),
                };
                used.extend(path.and_then(|path| self.definition(&path, 0)));
            }
            used.remove(source.file.as_str());
            edges.insert(source.file.as_str(), used);
        }
        edges
    }

    /// The file that defines what a path from the crate's root names.
    fn definition(&self, path: &[String], depth: usize) -> Option<&str> {
        assert!(depth < 20, "{path:?} leads back to itself");
        let length = (0..=path.len()).rev().find(|&length| self.modules.contains_key(&path[..length]))?;
        let source = &self.modules[&path[..length]];
        let Some(name) = path.get(length) else { return Some(&source.file) };
        if let Some((target, _)) = source.names.get(name) {
            return self.definition(&[target, &path[length + 1..]].concat(), depth + 1);
        }
        let passed_on = source.globs.iter().find(|glob| self.modules.get(*glob).is_some_and(|from| from.defines(name)));
        match passed_on {
            Some(glob) => self.definition(&[glob, &path[length..]].concat(), depth + 1),
            None => Some(&source.file),
        }
    }
}

impl Source {
    fn defines(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.items.contains(name)
    }
}

fn walk(root: &Path, folder: &Path, modules: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if stem.ends_with("tests") {
            continue;
        } else if path.is_dir() {
            walk(root, &path, modules);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let inner = path.strip_prefix(root).unwrap();
            let mut module: Module =
                inner.parent().unwrap().iter().map(|part| part.to_string_lossy().into_owned()).collect();
            // A crate of both kinds has two roots; its library's is the one that others use.
            if !["mod", "lib", "main"].contains(&stem.as_str()) {
                module.push(stem);
            }
            let text = code(&fs::read_to_string(&path).unwrap());
            let source = Source { file: inner.to_string_lossy().into_owned(), text, ..Source::default() };
            if inner.as_os_str() != "main.rs" {
                modules.insert(module, source);
            }
        }
    }
}

/// A file without its comments, what stands in its strings, and its tests, which stand at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let text = text.split("#[cfg(all(test").next().unwrap();
    let skipped = r##"//[^\n]*|r#"(?s:.*?)"#|"(?:[^"\\]|\\(?s:.))*"|'(?:[^'\\\n]|\\.)'"##;
    Regex::new(skipped).unwrap().replace_all(text, "''").into_owned()
}

/// The paths of a tree of `use`, each with the name that it gets.
fn leaves(tree: &str, prefix: &[String]) -> Vec<(Module, String)> {
    let tree = tree.trim();
    if let Some((start, rest)) = tree.split_once('{') {
        let start = start.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        let prefix: Module = prefix.iter().cloned().chain(start).collect();
        let (mut depth, mut begun, mut found) = (0, 0, Vec::new());
        let inner = &rest[..rest.rfind('}').expect("a closed tree")];
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.extend(leaves(&inner[begun..at], &prefix));
                    begun = at + 1;
                }
                _ => {}
            }
        }
        return found;
    }
    if tree.is_empty() {
        return Vec::new();
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path: Module = prefix.iter().cloned().chain(path.trim().split("::").map(str::to_owned)).collect();
    let last = path.last().unwrap().clone();
    if ["self", "*"].contains(&last.as_str()) {
        path.pop();
    }
    let name = if last == "self" { path.last().unwrap().clone() } else { last };
    vec![(path, alias.map_or(name, str::to_owned))]
}

/// A path from the crate's root, where it names something of the crate.
fn absolute(known: &BTreeSet<Module>, module: &Module, path: &[String]) -> Option<Module> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.clone(),
        // A module declared here; all else is another crate's, or was named by a `use`.
        child => {
            return known.contains(&[module.as_slice(), &[child.to_owned()]].concat()).then(|| [module, path].concat());
        }
    };
    let mut rest = path;
    while let [first, after @ ..] = rest {
        match first.as_str() {
            "super" => drop(base.pop()),
            "crate" | "self" => {}
            _ => break,
        }
        rest = after;
    }
    Some([base.as_slice(), rest].concat())
}
