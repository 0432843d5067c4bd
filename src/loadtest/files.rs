//! Reads files that users name. None is read beyond a bound: `/dev/zero` has no end.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// The largest file that is read, in bytes: 64 MiB.
const LARGEST: u64 = 64 << 20;

/// The content of a file.
///
/// # Errors
/// When it cannot be read, or is larger than 64 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_from(fs::File::open(path)?)
}

/// The content of a file that was read before, or will be. What comes out of a pipe comes once.
///
/// # Errors
/// As [`read`]; when it is no regular file.
pub fn read_again(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() {
        read(path)
    } else {
        Err(io::Error::other(
            "is no regular file, and is read more than once: write its content into one",
        ))
    }
}

/// The text of a file.
///
/// # Errors
/// As [`read`]; when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    text(read(path)?)
}

/// The text of standard input.
///
/// # Errors
/// As [`read_text`].
pub fn read_stdin() -> io::Result<String> {
    text(read_from(io::stdin().lock())?)
}

fn read_from(from: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(content)
}

/// The text with these bytes.
///
/// # Errors
/// When it is not UTF-8.
pub fn text(content: Vec<u8>) -> io::Result<String> {
    String::from_utf8(content).map_err(|_| io::Error::other("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused_and_one_within_the_bound_is_read() {
        let error = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(error, "is larger than 64 MiB");
        let whole = vec![b'a'; usize::try_from(LARGEST).unwrap()];
        assert_eq!(read_from(whole.as_slice()).unwrap().len(), whole.len());
        assert!(read_from([&whole[..], b"a"].concat().as_slice()).is_err());
        assert!(text(vec![0xff]).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn what_can_be_read_only_once_is_refused_where_it_is_read_again() {
        let error = read_again(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(error.starts_with("is no regular file"), "{error}");
        let missing = read_again(Path::new("/nowhere/file")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
