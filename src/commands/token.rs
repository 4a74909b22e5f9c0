//! `token`: bearer tokens for a server's token file.

use crate::report::print_line;
use clap::{Args, Subcommand};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_server::server::{hash_line, new_token};
use std::io::Read;
use zeroize::Zeroizing;

/// Make bearer tokens, and the hashes of them that a server's token file holds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl token new                        a token for the client, a line for the file of --token-file
  fhectl token hash < token.txt >> tokens.txt

The file needs no restart: a running server reads it again when it changes.")]
pub struct TokenArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token: the first line is for the client, the second for the server's token file.
    New,
    /// Read a token from stdin and print its line for the server's token file.
    Hash,
}

pub fn run(args: TokenArgs) -> Result<()> {
    match args.action {
        Action::New => {
            let token = Zeroizing::new(new_token(&mut OsEntropy));
            let line = hash_line(&token)?;
            print_line!("{}", *token);
            print_line!("{line}");
        }
        Action::Hash => {
            let mut text = Zeroizing::new(String::new());
            // From stdin: every user of the machine can read the arguments of a process.
            std::io::stdin().take(64 << 10).read_to_string(&mut text).map_err(|error| {
                Error::new(ErrorCode::TokenInvalid, format!("stdin: {error}"))
                    .hint("pipe the token in: fhectl token hash < file")
            })?;
            print_line!("{}", hash_line(text.trim())?);
        }
    }
    Ok(())
}
