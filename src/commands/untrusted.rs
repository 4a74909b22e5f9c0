//! The end of a run whose answers could not all be trusted: told when all is sent, and counted against the keys.

use super::locate::ServerArgs;
use crate::bundle::ModelId;
use crate::client::Session;
use crate::error::{Error, Result};

/// Ends a run of this `outcome`: reports the batches that failed to the keyring and, where the run itself went well,
/// names them.
///
/// # Errors
/// The run's own; `answers_untrusted` where there were such batches.
pub fn settle(args: &ServerArgs, model: &ModelId, session: &Session<'_>, outcome: Result<()>) -> Result<()> {
    let distrusted = session.distrusted();
    let reported = if distrusted.batches > 0 { report(args, model, distrusted.batches) } else { Ok(()) };
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

/// Counts failed batches against the client's keys of the model, which retire after a few.
///
/// The keyring does not count yet: nothing happens here.
fn report(_args: &ServerArgs, _model: &ModelId, _batches: u32) -> Result<()> {
    Ok(())
}
