//! What the page may do, wherever it lies.

/// A Content-Security-Policy: where scripts, workers and style come from, and what may be asked. WebAssembly is compiled, no text
/// ever is.
pub(crate) fn policy(scripts: &str, workers: &str, asked: &str, style: &str) -> String {
    format!(
        "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; worker-src {workers}; connect-src {asked}; style-src {style}; \
         img-src 'self' data: blob:; base-uri 'none'; form-action 'none'"
    )
}
