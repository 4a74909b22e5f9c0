//! Answers that failed their checks: reported at the end of a run, after all rows are sent.

use super::UntrustedAnswers;
use fhectl_core::error::{Error, ErrorCode, Result};

/// The result of a run: its `outcome`, or an error that counts the batches whose answers cannot be trusted.
///
/// # Errors
/// The run's own; `answers_untrusted` where there are such batches.
pub fn check_trusted(untrusted: UntrustedAnswers, outcome: Result<()>) -> Result<()> {
    outcome?;
    let Some(first) = untrusted.first else { return Ok(()) };
    let batches = match untrusted.batches {
        1 => "one batch of answers".to_owned(),
        many => format!("{many} batches of answers"),
    };
    Err(Error::new(ErrorCode::AnswersUntrusted, format!("{batches} cannot be trusted; the first: {}", first.message)).hint(
        "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the \
         server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
    ))
}
