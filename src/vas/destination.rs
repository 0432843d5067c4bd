//! Destinations of reports: files or standard output. All are tried before the work begins, and written after it.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{
    exit::{Code, CommandError},
    output,
    replaced_file::{Content, draft, folder, is_full, write_by},
    stderr,
};

/// Bytes that are written to try a destination: more than most reports have. A full disk is noticed before
/// the load.
const ROOM: usize = 1024 * 1024;

/// Where a report is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output, given as `-`.
    StandardOutput,
    /// A file, as it was given.
    File(PathBuf),
}

/// Reasons why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationError {
    /// The destination cannot be written.
    #[error("cannot write the report to {0}: {1}")]
    Write(Destination, #[source] io::Error),
    /// Two reports have the same destination, so one would replace the other.
    #[error("-o: two reports would go to {0}: give each its own file")]
    Twice(Destination),
}

impl CommandError for DestinationError {
    fn code(&self) -> Code {
        match self {
            Self::Write(..) => Code::Failure,
            Self::Twice(_) => Code::Invalid,
        }
    }
}

/// A destination with its report, or the error that came up while the report was made.
pub(crate) type Written<'a> = (&'a Destination, io::Result<String>);

/// Tries all destinations before the work begins, which may take minutes. Checks permissions, directories,
/// some free space, and that no two reports have the same file. Existing files stay as they are.
///
/// # Errors
/// The first destination that cannot be written.
pub(crate) fn try_all<'a>(
    destinations: impl IntoIterator<Item = &'a Destination>,
) -> Result<(), DestinationError> {
    let destinations: Vec<&Destination> = destinations.into_iter().collect();
    let mut places = Vec::new();
    for destination in &destinations {
        let place = destination.place();
        if place.is_some() && places.contains(&place) {
            return Err(DestinationError::Twice((*destination).clone()));
        }
        places.push(place);
    }
    for destination in destinations {
        destination
            .try_out()
            .map_err(|error| DestinationError::Write(destination.clone(), error))?;
    }
    Ok(())
}

/// Writes all reports. Writes `text` to standard output, or to standard error if a report goes to standard
/// output. Each failure is reported and does not stop the other reports. Returns whether everything was
/// written.
pub(crate) fn publish<'a>(text: &str, reports: impl IntoIterator<Item = Written<'a>>) -> bool {
    let written = reports.into_iter().map(|(destination, report)| {
        let written = report.and_then(|report| destination.write(&|out| out.write_all(report.as_bytes())));
        (destination, written)
    });
    publish_each(text, written)
}

/// As [`publish`], for reports that are too long to be held: the iterator writes them, by [`Destination::write`].
pub(crate) fn publish_each<'a>(
    text: &str,
    written: impl IntoIterator<Item = (&'a Destination, io::Result<()>)>,
) -> bool {
    let mut failed = Vec::new();
    let mut taken = false;
    for (destination, written) in written {
        taken |= *destination == Destination::StandardOutput;
        if let Err(error) = written {
            failed.push(DestinationError::Write(destination.clone(), error).to_string());
        }
    }
    if taken {
        // A closed standard error is ignored.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    } else if let Err(error) = output::text(text) {
        failed.push(error.to_string());
    }
    for error in &failed {
        stderr::complain(error);
    }
    failed.is_empty()
}

/// Identifies a file under all of its names. Devices such as `/dev/null` have no identity: several reports
/// may go there.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    StandardOutput,
    /// Device and inode of an existing file.
    Known(u64, u64),
    /// Directory and name of a file that does not exist yet.
    New(PathBuf),
}

impl From<&str> for Destination {
    fn from(text: &str) -> Self {
        match text {
            "-" => Self::StandardOutput,
            file => Self::File(file.into()),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardOutput => f.write_str("standard output"),
            Self::File(file) => file.display().fmt(f),
        }
    }
}

impl Destination {
    fn place(&self) -> Option<Place> {
        let Self::File(file) = self else {
            return Some(Place::StandardOutput);
        };
        match fs::metadata(file) {
            Ok(found) if found.is_file() => Some(Place::Known(found.dev(), found.ino())),
            Ok(_) => None,
            Err(_) => Some(Place::New(
                fs::canonicalize(folder(file)).ok()?.join(file.file_name()?),
            )),
        }
    }

    fn try_out(&self) -> io::Result<()> {
        match self {
            Self::StandardOutput => Ok(()),
            Self::File(file) => try_file(file),
        }
    }

    /// Writes a report. Where possible, readers of the file see either the old text or the complete new one.
    pub(crate) fn write(&self, content: Content<'_>) -> io::Result<()> {
        match self {
            Self::StandardOutput => output::standard_output(content),
            Self::File(file) => write_by(file, content),
        }
    }
}

fn try_file(file: &Path) -> io::Result<()> {
    if !folder(file).is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "its folder does not exist",
        ));
    }
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Opening a pipe would wait for its reader, and opening a device may have an effect, so neither is
        // tried.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) if is_link(file) => appendable(file),
        Ok(_) => probe(file).or_else(|error| {
            if is_full(&error) {
                Err(error)
            } else {
                appendable(file)
            }
        }),
        // A link to a missing file: the file will be made when the report is written.
        Err(_) if is_link(file) => Ok(()),
        Err(_) => probe(file),
    }
}

fn is_link(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|found| found.is_symlink())
}

fn appendable(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(file).map(drop)
}

/// Checks that a file can be made in the same directory, with room for a report.
fn probe(file: &Path) -> io::Result<()> {
    let draft = draft(file);
    let made = fs::write(&draft, vec![0; ROOM]);
    let removed = fs::remove_file(&draft);
    made.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replaced_file::write;

    fn temporary(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("vas-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_a_link_is_written_through() {
        let folder = temporary("replaced");
        let (file, link) = (folder.join("file"), folder.join("link"));
        write(&file, "one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        try_file(&link).unwrap();
        write(&link, "two").unwrap();
        let still_a_link = is_link(&link);
        let content = fs::read_to_string(&file).unwrap();
        let names = fs::read_dir(&folder).unwrap().count();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((still_a_link, content.as_str(), names), (true, "two", 2));
    }

    #[test]
    fn a_name_as_long_as_names_may_be_is_written() {
        let folder = temporary("long");
        let file = folder.join("a".repeat(255));
        let written = try_file(&file).and_then(|()| write(&file, "whole"));
        let content = fs::read_to_string(&file);
        fs::remove_dir_all(&folder).unwrap();
        written.unwrap();
        assert_eq!(content.unwrap(), "whole");
    }

    /// In the directories of a process in /proc nobody, not even root, can make files. Some files there can
    /// be written.
    #[test]
    fn a_file_whose_folder_takes_no_other_is_written_in_its_place() {
        let name = Path::new("/proc/thread-self/comm");
        let before = fs::read_to_string(name).unwrap();
        try_file(name).unwrap();
        write(name, "replaced").unwrap();
        assert_eq!(fs::read_to_string(name).unwrap(), "replaced\n");
        fs::write(name, before).unwrap();
        assert!(try_file(Path::new("/proc/thread-self/report.json")).is_err());
    }

    #[test]
    fn a_device_takes_two_reports_and_a_file_one() {
        let destinations = |files: [&str; 2]| files.map(Destination::from);
        assert!(try_all(&destinations(["/dev/null", "/dev/null"])).is_ok());
        assert!(try_all(&destinations(["-", "/dev/null"])).is_ok());
        for twice in [["-", "-"], ["a.json", "./a.json"]] {
            let error = try_all(&destinations(twice)).unwrap_err();
            assert!(
                error.code() == Code::Invalid && error.to_string().contains("two reports"),
                "{error}"
            );
        }
    }
}
