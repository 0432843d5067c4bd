//! Compressed text, for text that is kept for long and read seldom, such as the objects of a watch. Deflate
//! makes it about a third as long.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

thread_local! {
    // Setting up either one takes more than 100 kB of memory, so each thread sets up one of each.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// A compressed text. Two of them are equal exactly if their texts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Length of the text in bytes.
    length: usize,
    /// The deflated text, or the text itself if deflating did not make it shorter. In that case, and only
    /// then, it has `length` bytes.
    kept: Box<[u8]>,
}

impl Packed {
    /// Compresses a text.
    pub fn new(text: &str) -> Self {
        let deflated = DEFLATE.with_borrow_mut(|deflate| {
            deflate.reset();
            let mut out = Vec::with_capacity(text.len());
            // The buffer is as large as the text. If the result does not fit, the stream does not end here.
            let status = deflate.compress_vec(text.as_bytes(), &mut out, FlushCompress::Finish);
            (matches!(status, Ok(Status::StreamEnd)) && out.len() < text.len()).then_some(out)
        });
        Self {
            length: text.len(),
            kept: deflated.map_or_else(|| text.as_bytes().into(), |out| out.as_slice().into()),
        }
    }

    /// Restores the text.
    pub fn text(&self) -> String {
        if self.kept.len() == self.length {
            return String::from_utf8_lossy(&self.kept).into_owned();
        }
        INFLATE.with_borrow_mut(|inflate| {
            inflate.reset(false);
            let mut out = Vec::with_capacity(self.length);
            // The bytes come from `new`, so they always inflate to exactly the text.
            let _ = inflate.decompress_vec(&self.kept, &mut out, FlushDecompress::Finish);
            String::from_utf8(out).unwrap_or_default()
        })
    }
}

impl From<&str> for Packed {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_repeats_itself_takes_little() {
        let text = r#"{"type":"Ready","status":"True","reason":"Ready","message":"every workload scales"}"#
            .repeat(8);
        let packed = Packed::new(&text);
        assert!(packed.kept.len() * 4 < text.len(), "{}", packed.kept.len());
        assert_eq!(packed.text(), text);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_equal_texts_are_equal(text in ".{0,400}", other in "[ab]{0,8}") {
            prop_assert_eq!(Packed::new(&text).text(), text.clone());
            prop_assert_eq!(Packed::new(&text), Packed::new(&text));
            prop_assert_eq!(Packed::new(&text) == Packed::new(&other), text == other);
        }
    }
}
