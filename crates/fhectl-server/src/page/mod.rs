//! The page that a browser gets: a client of every model in a tab, and copies of it for other hosts.
//!
//! Its files stand in the binary (`web/dist`, built by `scripts/build_web.sh`). A server sends them (`server::handlers`); who
//! does not trust the server takes the same files from a binary of their own ([`Copied`]).

mod copy;
mod files;
mod html;
mod policy;

pub use copy::Copied;
pub(crate) use files::{PAGE, PageFile};
pub(crate) use html::served;
pub(crate) use policy::policy;
