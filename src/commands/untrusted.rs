//! The end of a run whose answers could not all be trusted: told when all is sent.

use crate::client::Distrusted;
use fhectl_core::error::{Error, ErrorCode, Result};

/// Ends a run of this `outcome`: where it went well, names the batches that failed.
///
/// # Errors
/// The run's own; `answers_untrusted` where there were such batches.
pub fn settle(distrusted: Distrusted, outcome: Result<()>) -> Result<()> {
    outcome?;
    let Some(first) = distrusted.first else { return Ok(()) };
    let batches = match distrusted.batches {
        1 => "one batch of answers".to_owned(),
        many => format!("{many} batches of answers"),
    };
    Err(Error::new(ErrorCode::AnswersUntrusted, format!("{batches} cannot be trusted; the first: {}", first.message)).hint(
        "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the \
         server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
    ))
}
