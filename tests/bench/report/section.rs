//! Sections of a document that programs write, each between two marks of its own:
//!
//! ```text
//! <!-- metrics-server:begin -->
//! what the program found
//! <!-- metrics-server:end -->
//! ```
//!
//! Everything else in the document stays as it is: people and other programs write it.

use std::{fs, io::ErrorKind, path::Path};

/// Text around the sections of `docs/benchmarks.md`, for the program that writes the first one.
pub(crate) const FRAME: &str = "\
# Benchmarks

`make bench` measures, and writes what stands between the marks of each part. Words outside of the marks stay.
";

/// Why a section could not be written. The document has not changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SectionError {
    #[error("cannot read or write {path}: {cause}")]
    File { path: String, cause: std::io::Error },
    #[error(
        "{path}: `{mark}` must be there once, the begin before the end, and is there {count} times: \
         put the marks of this part right, or take both out"
    )]
    Marks {
        path: String,
        mark: String,
        count: usize,
    },
}

/// Writes the section `name` of the document at `path`. If there is no document, it begins with `frame`. A
/// section that the document does not have yet is added at its end.
///
/// # Errors
///
/// The document cannot be read or written, or has one mark of the section without the other, or one twice.
pub(crate) fn write(path: &Path, frame: &str, name: &str, body: &str) -> Result<(), SectionError> {
    let new = with_section(path, frame, name, body)?;
    let file = |cause| file(path, cause);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
    }
    // Written under another name first: a program that is ended while it writes leaves the old document.
    let fresh = path.with_extension("md.new");
    fs::write(&fresh, new).map_err(file)?;
    fs::rename(&fresh, path).map_err(file)
}

/// Checks that the section could be written, before minutes of measuring.
///
/// # Errors
///
/// The errors of [`write`] that the document as it is now would cause.
pub(crate) fn check(path: &Path, frame: &str, name: &str) -> Result<(), SectionError> {
    with_section(path, frame, name, "").map(drop)
}

fn with_section(path: &Path, frame: &str, name: &str, body: &str) -> Result<String, SectionError> {
    let old = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => frame.to_owned(),
        read => read.map_err(|cause| file(path, cause))?,
    };
    replaced(&old, name, body).map_err(|(mark, count)| SectionError::Marks {
        path: path.display().to_string(),
        mark,
        count,
    })
}

fn file(path: &Path, cause: std::io::Error) -> SectionError {
    SectionError::File {
        path: path.display().to_string(),
        cause,
    }
}

/// The document with the new section. Otherwise the mark that is wrong, and how often it occurs.
fn replaced(document: &str, name: &str, body: &str) -> Result<String, (String, usize)> {
    let (begin, end) = (mark(name, "begin"), mark(name, "end"));
    let section = format!("{begin}\n{}\n{end}", body.trim());
    let count = |mark: &str| document.matches(mark).count();
    match (count(&begin), count(&end)) {
        (0, 0) => return Ok(format!("{}\n\n{section}\n", document.trim_end())),
        (1, 1) => {}
        (1, wrong) => return Err((end, wrong)),
        (wrong, _) => return Err((begin, wrong)),
    }
    let parts = document
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or((end, 1_usize))?;
    Ok(format!("{before}{section}{after}"))
}

fn mark(name: &str, which: &str) -> String {
    format!("<!-- {name}:{which} -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
# Benchmarks\n\nBy hand.\n\n<!-- a:begin -->\nold a\n<!-- a:end -->\n\nBetween.\n\n<!-- b:begin -->\nold b\n<!-- b:end -->\n\nLast.\n";

    #[test]
    fn only_the_text_between_its_marks_changes() {
        let expected = TWO.replace("old a", "new a\n\n| x |");
        assert_eq!(replaced(TWO, "a", "\nnew a\n\n| x |\n\n").unwrap(), expected);
        let expected = TWO.replace("old b", "new b");
        assert_eq!(replaced(TWO, "b", "new b").unwrap(), expected);
    }

    #[test]
    fn writing_it_again_changes_nothing() {
        let once = replaced(FRAME, "a", "found").unwrap();
        assert_eq!(replaced(&once, "a", "found").unwrap(), once);
        assert!(once.starts_with(FRAME), "{once}");
    }

    #[test]
    fn a_section_that_is_new_comes_last() {
        let expected = format!("{TWO}\n<!-- c:begin -->\nfound\n<!-- c:end -->\n");
        assert_eq!(replaced(TWO, "c", "found").unwrap(), expected);
    }

    #[test]
    fn marks_that_do_not_pair_are_an_error_and_lose_nothing() {
        let wrong = |document: &str| replaced(document, "a", "found").unwrap_err();
        let (begin, end) = ("<!-- a:begin -->", "<!-- a:end -->");
        assert_eq!(wrong(&TWO.replace(end, "")), (end.to_owned(), 0));
        assert_eq!(wrong(&TWO.replace(begin, "")), (begin.to_owned(), 0));
        assert_eq!(wrong(&format!("{TWO}{begin}")), (begin.to_owned(), 2));
        assert_eq!(wrong(&format!("{end}\n{begin}\n")), (end.to_owned(), 1));
    }

    #[test]
    fn a_document_that_is_not_there_begins_with_the_frame_and_a_broken_one_stays() {
        let folder = std::env::temp_dir().join(format!("vas-bench-section-{}", std::process::id()));
        let path = folder.join("docs/benchmarks.md");
        write(&path, FRAME, "a", "found").unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(first, replaced(FRAME, "a", "found").unwrap());

        let broken = first.replace("<!-- a:end -->", "");
        fs::write(&path, &broken).unwrap();
        for error in [check(&path, FRAME, "a"), write(&path, FRAME, "a", "more")] {
            let words = error.unwrap_err().to_string();
            assert!(
                words.contains("`<!-- a:end -->` must be there once") && words.contains("0 times"),
                "{words}"
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        check(&path, FRAME, "b").unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
