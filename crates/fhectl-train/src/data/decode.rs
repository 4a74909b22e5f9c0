//! Bytes of a file as UTF-8.

use super::table_options::TextEncoding;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, Read};

/// Bytes that are read or decoded at once.
const CHUNK: usize = 1 << 16;

/// Decodes to UTF-8 as it is read. A byte order mark decides before `encoding` does.
pub(super) struct Utf8Reader<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    /// Decoded text, and how much of it was handed on.
    output: Vec<u8>,
    taken: usize,
    /// The part of `input` that is not decoded yet.
    from: usize,
    to: usize,
    ended: bool,
    /// Whether the decoder has written all there is; it must not be asked again.
    finished: bool,
    failed: bool,
}

impl<R: Read> Utf8Reader<R> {
    pub fn new(inner: R, encoding: Option<TextEncoding>) -> Self {
        let encoding: &Encoding = match encoding {
            None | Some(TextEncoding::Utf8) => UTF_8,
            Some(TextEncoding::Utf16Le) => UTF_16LE,
            Some(TextEncoding::Utf16Be) => UTF_16BE,
            Some(TextEncoding::Windows1252) => WINDOWS_1252,
        };
        Self {
            inner,
            decoder: encoding.new_decoder(),
            input: vec![0; CHUNK],
            output: Vec::new(),
            taken: 0,
            from: 0,
            to: 0,
            ended: false,
            finished: false,
            failed: false,
        }
    }
}

impl<R: Read> Utf8Reader<R> {
    /// Decodes more text; none is left where that is nothing.
    fn fill(&mut self) -> io::Result<()> {
        self.taken = 0;
        self.output.clear();
        while self.output.is_empty() && !self.finished {
            if self.failed {
                return Err(io::Error::new(io::ErrorKind::InvalidData, NotText));
            }
            if self.from == self.to && !self.ended {
                self.from = 0;
                self.to = self.inner.read(&mut self.input)?;
                self.ended = self.to == 0;
            }
            let input = &self.input[self.from..self.to];
            self.output.resize(CHUNK, 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, &mut self.output, self.ended);
            self.output.truncate(written);
            self.from += read;
            // What was decoded is handed on before the error is.
            self.failed = matches!(result, DecoderResult::Malformed(..));
            self.finished = self.ended && result == DecoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.output.len() {
            self.fill()?;
        }
        let count = buffer.len().min(self.output.len() - self.taken);
        buffer[..count].copy_from_slice(&self.output[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// Bytes that are no text of the encoding.
#[derive(Debug)]
pub(super) struct NotText;

impl std::fmt::Display for NotText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes that are no text of the encoding")
    }
}

impl std::error::Error for NotText {}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: Option<TextEncoding>) -> io::Result<String> {
        let mut text = String::new();
        Utf8Reader::new(bytes, encoding).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn encodings_and_marks_are_read() {
        assert_eq!(decoded("añ€".as_bytes(), None).unwrap(), "añ€");
        assert_eq!(decoded(b"\xef\xbb\xbfab", None).unwrap(), "ab");
        assert_eq!(decoded(b"\xff\xfea\0b\0", None).unwrap(), "ab");
        assert_eq!(decoded(b"\xfe\xff\0a\0b", None).unwrap(), "ab");
        assert_eq!(decoded(b"a\0b\0", Some(TextEncoding::Utf16Le)).unwrap(), "ab");
        assert_eq!(decoded(b"caf\xe9 \x80", Some(TextEncoding::Windows1252)).unwrap(), "café €");
    }

    #[test]
    fn other_bytes_are_an_error() {
        assert_eq!(decoded(b"caf\xe9,1", None).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(decoded(b"\xff\xfea\0b", None).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn long_texts_cross_the_buffer() {
        let text = "é€a".repeat(40_000);
        assert_eq!(decoded(text.as_bytes(), None).unwrap(), text);
    }
}
