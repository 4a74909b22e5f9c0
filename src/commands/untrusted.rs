//! The end of a run whose answers could not all be trusted: told when all is sent, and counted against the keys.

use crate::bundle::ModelId;
use crate::client::{Distrusted, Keyring};
use crate::error::{Error, Result};

/// Ends a run of this `outcome`: reports the batches that failed to the keyring and, where the run itself went well,
/// names them.
///
/// # Errors
/// The run's own; `answers_untrusted` where there were such batches.
pub fn settle(keyring: &Keyring, model: &ModelId, distrusted: Distrusted, outcome: Result<()>) -> Result<()> {
    // Keys retire after a few.
    let reported = if distrusted.batches > 0 { keyring.report_failures(model, distrusted.batches) } else { Ok(0) };
    outcome?;
    let Some(first) = distrusted.first else { return Ok(()) };
    reported?;
    let batches = match distrusted.batches {
        1 => "one batch of answers".to_owned(),
        many => format!("{many} batches of answers"),
    };
    Err(Error::fault("answers_untrusted", format!("{batches} cannot be trusted; the first: {}", first.message)).hint(
        "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the \
         server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
    ))
}
