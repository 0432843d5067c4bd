//! Lines of bounded length, with their numbers.

use std::io::{BufRead, Read as _};

use super::{LoadFileError, wrong};

/// Longest line, in bytes.
const LONGEST: usize = 4096;

/// The lines of a file, without those that are empty.
pub(super) struct Lines<R> {
    file: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(file: R) -> Self {
        Self {
            file,
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line and its number, from 1; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or the line is too long or no text.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, LoadFileError> {
        loop {
            self.buffer.clear();
            let bound = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
            let read = (&mut self.file).take(bound).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.buffer.len() > LONGEST {
                return Err(wrong(self.number, &format!("it is longer than {LONGEST} bytes")));
            }
            if self.buffer.iter().any(|byte| !byte.is_ascii_whitespace()) {
                break;
            }
        }
        let text =
            std::str::from_utf8(&self.buffer).map_err(|_| wrong(self.number, "it is no UTF-8 text"))?;
        Ok(Some((self.number, text.trim_start_matches('\u{feff}').trim())))
    }
}
