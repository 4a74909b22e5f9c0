//! Lines of data for the next program in a pipe.

/// Writes a line of data to stdout; a reader that went away ends the program quietly, as for any filter.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        if let Err(error) = writeln!(anstream::stdout(), $($argument)*) {
            std::process::exit(if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 2 });
        }
    }};
}
pub(crate) use say;
