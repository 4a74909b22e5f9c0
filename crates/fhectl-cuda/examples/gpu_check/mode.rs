//! How much is checked.

use serde::Serialize;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// 10,000 bootstraps of each shape and kernel.
    Full,
    /// A few.
    Quick,
    /// A few, under small keys, and no times.
    Sanitize,
}

/// The mode and the device's number.
pub fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<(Mode, usize), String> {
    let (mut mode, mut ordinal) = (Mode::Full, 0);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => mode = Mode::Quick,
            "--sanitize" => mode = Mode::Sanitize,
            "--device" => {
                ordinal = arguments.next().and_then(|number| number.parse().ok()).ok_or("--device takes a number")?;
            }
            _ => return Err(format!("gpu_check [--quick | --sanitize] [--device N], not {argument}")),
        }
    }
    Ok((mode, ordinal))
}
