//! Files of all forms, and what is wrong with others.

use std::io::{BufReader, Cursor, Read};

use super::*;

fn load(text: &str) -> Result<Load, LoadFileError> {
    read(Cursor::new(text.as_bytes()))
}

fn error(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn csv_and_jsonl_of_the_same_values_are_the_same_load() {
    let csv = load("time,value\n2026-03-01T10:00:00Z,1.5\n2026-03-01 10:01:00,\n\n1772359320,3\n").unwrap();
    let jsonl = load(
        "{\"time\":1772359200,\"value\":1.5}\n{\"time\":\"2026-03-01T11:01:00+01:00\",\"value\":null}\n\
         {\"time\":\"2026-03-01T10:02:00Z\",\"value\":3}",
    )
    .unwrap();
    assert_eq!(csv, jsonl);
    assert_eq!(csv.start().to_string(), "2026-03-01T10:00:00Z");
    assert_eq!(
        csv.pieces(),
        [(0, Some(1.5)), (60_000, None), (120_000, Some(3.0))]
    );
    // As Excel writes it, and as Prometheus' tools name the column.
    assert_eq!(
        load("\u{feff}Timestamp, Value\r\n1,1\r\n2,2\r\n3,3\r\n")
            .unwrap()
            .pieces()
            .len(),
        3
    );
}

#[test]
fn a_line_that_is_wrong_is_named() {
    let head = "time,value\n1,1\n2,2\n";
    for (line, words) in [
        ("3,NaN", "line 4: the value NaN must be 0 or more"),
        ("3,-1", "line 4: the value -1 must be 0 or more"),
        ("3,1e300", "line 4: the value 1000"),
        (
            "2,3",
            "line 4: the time 1970-01-01T00:00:02Z is not after the one before it",
        ),
        (
            "1,3",
            "line 4: the time 1970-01-01T00:00:01Z is not after the one before it",
        ),
        ("3,much", "line 4: the value \"much\" is no number"),
        (
            "soon,3",
            "line 4: the time \"soon\" is none: write seconds since 1970",
        ),
        ("1e99,3", "line 4: the time \"1e99\" is none"),
        ("3", "line 4: it must have a time, a comma and a value"),
        ("\n\n\n3;3", "line 7: it must have"),
    ] {
        let error = error(&format!("{head}{line}\n"));
        assert!(error.starts_with(words), "{line}: {error}");
    }
    assert!(
        error(&format!("{head}3,{}", "1".repeat(5000))).starts_with("line 4: it is longer than 4096 bytes")
    );
    let row = "{\"time\":1,\"value\":1}\n";
    assert!(error(&format!("{row}{{\"time\":2}}")).starts_with("line 2: missing field `value`"));
    assert!(error(&format!("{row}{row}")).starts_with("line 2: the time"));
}

#[test]
fn what_has_no_form_or_too_few_values_is_refused() {
    assert!(
        error("1,1\n2,2\n3,3\n")
            .starts_with("line 1: \"1,1\" begins none of the known forms: the header time,value")
    );
    assert!(error("").contains("begins none of the known forms"));
    assert!(error("{}").contains("not a report of vas test"));
    assert_eq!(
        error("time,value\n1,1\n2,2\n"),
        "a load needs at least 3 values, and there are 2"
    );
    assert_eq!(error("time,value\n1,\n2,\n3,\n"), "all values are missing");
}

/// Ten million lines, made while they are read.
struct Endless {
    next: u64,
    rest: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.len() < buffer.len() && self.next < 10_000_000 {
            self.rest
                .extend_from_slice(format!("{},1\n", self.next).as_bytes());
            self.next += 1;
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

#[test]
fn ten_million_lines_are_read_no_further_than_the_first_too_many() {
    let file = Endless {
        next: 0,
        rest: b"time,value\n".to_vec(),
    };
    let mut file = BufReader::new(file);
    let error = read(&mut file).unwrap_err().to_string();
    assert!(
        error.starts_with("line 2500002: a load has at most 2500000 values"),
        "{error}"
    );
    assert!(file.get_ref().next < 2_600_000);
}
