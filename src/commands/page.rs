//! `page`: the page of `serve` as files, for another host or the disk.

use crate::report::print_line;
use clap::Args;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::page::Copied;
use std::fs;
use std::path::{Path, PathBuf};
use url::Url;

/// Write the page that `serve` answers browsers with, for another host or to open from disk.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl page --url https://models.example:8443 --out site        a folder for a web server of yours
  fhectl page --url https://models.example:8443 --out mine.html   one file, to open from disk

A page that the server itself sends could send your rows along. One that this binary wrote does what this binary's sources say,
whoever runs the server. The server has to let it in: fhectl serve --cors-origin https://your.site, or '*' for a page from disk.")]
pub struct PageArgs {
    /// The server that the page asks, and no other: its policy lets nothing else be reached
    #[arg(long, env = "FHECTL_URL", value_parser = parse_server)]
    url: Url,
    /// A folder, or a file that ends in .html for all of it in one
    #[arg(long, env = "FHECTL_OUT", value_name = "PATH")]
    out: PathBuf,
    /// Write over what is there
    #[arg(long, env = "FHECTL_FORCE")]
    force: bool,
}

fn parse_server(text: &str) -> std::result::Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL ({error}); want https://host:port"))?;
    // It stands in the page's policy and in a tag: nothing in it may end there.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if !url.host_str().is_some_and(|host| host.chars().all(plain)) {
        return Err(format!("`{text}` names no host that a page could ask; want https://host:port"));
    }
    if url.path().contains("/v1/") {
        return Err(format!("`{text}` is the URL of a model; want the server's, whose page has all of its models"));
    }
    match url.scheme() {
        "http" | "https" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "http" | "https" => Err("a name or password in the URL would stand in the page; servers take tokens".into()),
        _ => Err(format!("`{text}` is not the URL of a server; want https://host:port")),
    }
}

pub fn run(args: &PageArgs) -> Result<()> {
    let copied = Copied::new(&args.url);
    if args.out.extension().is_some_and(|extension| extension == "html") {
        write(&args.out, copied.single_file().as_bytes(), args.force)?;
        print_line!("{}", args.out.display());
        return Ok(());
    }
    fs::create_dir_all(&args.out).map_err(|error| failed(&args.out, &error))?;
    for (name, bytes) in copied.folder() {
        let path = args.out.join(name);
        write(&path, &bytes, args.force)?;
        print_line!("{}", path.display());
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    if path.exists() && !force {
        return Err(Error::new(ErrorCode::Exists, format!("{} is there already", path.display()))
            .hint("choose another --out, or write over it with --force"));
    }
    fs::write(path, bytes).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display())).hint("choose another --out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_servers_only() {
        assert!(parse_server("https://host:8443").is_ok() && parse_server("http://127.0.0.1:8000/models/").is_ok());
        for bad in [
            "",
            "host:8443",
            "file:///etc",
            "https://name:secret@host",
            "https://name@host",
            "https://x\"y;z",
            "https://x\"onload=\"1",
            "https://x;script-src",
            "https://*",
            "https://host/v1/models/mails",
        ] {
            assert!(parse_server(bad).is_err(), "{bad}");
        }
    }
}
