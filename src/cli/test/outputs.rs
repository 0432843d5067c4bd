//! `-o FORMAT=FILE`: reports in files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::core::loadtest::report::{Report, hgrm, html, json, junit, markdown};

/// One report in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Output {
    format: Format,
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
    Markdown,
    Hgrm,
    Html,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum OutputError {
    /// The file cannot be written.
    #[error("cannot write the report to {}: {source}", .file.display())]
    Write {
        /// As it was given.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The report has no JSON form.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "write it as html=FILE, json=FILE, junit=FILE, md=FILE or hgrm=FILE";
        let (format, file) = text.split_once('=').ok_or(FORMS)?;
        let format = match format {
            "json" => Format::Json,
            "junit" => Format::Junit,
            "md" => Format::Markdown,
            "hgrm" => Format::Hgrm,
            "html" => Format::Html,
            _ => return Err(FORMS),
        };
        if file.is_empty() {
            return Err(FORMS);
        }
        Ok(Self {
            format,
            file: file.into(),
        })
    }
}

impl Output {
    /// Writes the report. Readers see the old file or the whole new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::cli) fn write(&self, report: &Report) -> Result<(), OutputError> {
        let text = match self.format {
            Format::Json => json::render(report)? + "\n",
            Format::Junit => junit::render(report),
            Format::Markdown => markdown::render(report),
            Format::Hgrm => hgrm::render(&report.measured.total.latency),
            Format::Html => html::render(report),
        };
        replace(&self.file, &text).map_err(|source| self.error(source))
    }

    /// Whether the file can be written, before minutes of load are for nothing.
    ///
    /// # Errors
    /// When its folder does not exist.
    pub(in crate::cli) fn check(&self) -> Result<(), OutputError> {
        exists(&self.file).map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> OutputError {
        OutputError::Write {
            file: self.file.clone(),
            source,
        }
    }
}

/// Whether the folder of a file exists.
pub(super) fn exists(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let missing = || io::Error::new(io::ErrorKind::NotFound, "its folder does not exist");
    folder.is_none_or(Path::is_dir).then_some(()).ok_or_else(missing)
}

/// Writes a file so that its readers see the old one or the whole new one.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    // What is no plain file itself, such as the link /dev/stdout or a pipe, is written to and never replaced.
    if fs::symlink_metadata(file).is_ok_and(|found| !found.is_file()) {
        return fs::write(file, text);
    }
    let mut draft = file.as_os_str().to_owned();
    draft.push(".part");
    fs::write(&draft, text)?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_format_and_a_file() {
        let output: Output = "json=a=b.json".parse().unwrap();
        assert_eq!(
            (output.format, output.file),
            (Format::Json, PathBuf::from("a=b.json"))
        );
        for text in ["json", "json=", "pdf=x", "=x"] {
            assert!(text.parse::<Output>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_a_link_is_written_through() {
        let folder = std::env::temp_dir().join(format!("vas-outputs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        replace(&file, "one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        let still_a_link = fs::symlink_metadata(&link).unwrap().is_symlink();
        let content = fs::read_to_string(&file).unwrap();
        let names = fs::read_dir(&folder).unwrap().count();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((still_a_link, content.as_str(), names), (true, "two", 2));
    }

    #[test]
    fn a_folder_that_is_not_there_is_found_before_the_run() {
        let output: Output = "md=/no/such/folder/report.md".parse().unwrap();
        let error = output.check().unwrap_err().to_string();
        assert!(
            error.contains("/no/such/folder/report.md") && error.contains("folder"),
            "{error}"
        );
        "md=report.md".parse::<Output>().unwrap().check().unwrap();
    }
}
