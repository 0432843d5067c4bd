//! Text that is kept for long and read seldom, such as the objects of a watch: deflated, to about a third.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

thread_local! {
    // Each takes 100 kB and more to set up, so a thread has one of each.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// A text in little memory. Equal texts are equal here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Bytes of the text; as many as are kept where it did not become shorter.
    length: usize,
    kept: Box<[u8]>,
}

impl Packed {
    /// Packs a text.
    pub fn new(text: &str) -> Self {
        let deflated = DEFLATE.with_borrow_mut(|deflate| {
            deflate.reset();
            let mut out = Vec::with_capacity(text.len());
            // The room is that of the text: what would not become shorter does not end.
            let status = deflate.compress_vec(text.as_bytes(), &mut out, FlushCompress::Finish);
            (matches!(status, Ok(Status::StreamEnd)) && out.len() < text.len()).then_some(out)
        });
        Self {
            length: text.len(),
            kept: deflated.map_or_else(|| text.as_bytes().into(), |out| out.as_slice().into()),
        }
    }

    /// The text.
    pub fn text(&self) -> String {
        if self.kept.len() == self.length {
            return String::from_utf8_lossy(&self.kept).into_owned();
        }
        INFLATE.with_borrow_mut(|inflate| {
            inflate.reset(false);
            let mut out = Vec::with_capacity(self.length);
            // What was packed here unpacks to exactly the text.
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
