//! All integration tests in one binary, because linking is what makes cold builds slow.
