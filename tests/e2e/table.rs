//! The final table: a line for each test with how long it took and what was seen.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    process::ExitCode,
    time::{Duration, Instant},
};

use futures::{FutureExt as _, future::LocalBoxFuture};

/// Widest text of what was seen in a line of the table; the whole of it stands above.
const WIDEST: usize = 160;

struct Line {
    name: String,
    took: Duration,
    /// What was seen, or why it failed.
    seen: Result<String, String>,
}

/// The results so far.
pub(crate) struct Table {
    lines: Vec<Line>,
    /// Names of the tests to run; empty means all.
    only: Vec<String>,
}

impl Table {
    /// An empty table for the tests that `E2E_ONLY` names, or all.
    pub(crate) fn from_environment() -> Self {
        let only = std::env::var("E2E_ONLY").unwrap_or_default();
        let names = only.split(',').filter(|name| !name.is_empty());
        Self {
            lines: Vec::new(),
            only: names.map(str::to_owned).collect(),
        }
    }

    /// Runs a test that returns what it saw, and fails by a panic. The installation itself always runs.
    pub(crate) fn test<'a>(
        &'a mut self,
        name: &'a str,
        test: impl Future<Output = String> + 'a,
    ) -> LocalBoxFuture<'a, ()> {
        let test = AssertUnwindSafe(Box::pin(test)).catch_unwind();
        Box::pin(async move {
            let named = self.only.is_empty() || self.only.iter().any(|only| only == name);
            if name != "install" && !named {
                return;
            }
            eprintln!("e2e: {name} ...");
            let began = Instant::now();
            let seen = test.await.map_err(words);
            self.note(name, began.elapsed(), seen);
        })
    }

    /// Runs two tests at the same time, which must not touch the same workload.
    pub(crate) fn both<'a>(
        &'a mut self,
        first: (&'a str, impl Future<Output = String> + 'a),
        second: (&'a str, impl Future<Output = String> + 'a),
    ) -> LocalBoxFuture<'a, ()> {
        let (first_test, second_test) = (Box::pin(first.1), Box::pin(second.1));
        Box::pin(async move {
            let mut aside = Self {
                lines: Vec::new(),
                only: self.only.clone(),
            };
            futures::join!(self.test(first.0, first_test), aside.test(second.0, second_test));
            self.lines.append(&mut aside.lines);
        })
    }

    fn note(&mut self, name: &str, took: Duration, seen: Result<String, String>) {
        let (word, text) = match &seen {
            Ok(text) => ("ok", text),
            Err(text) => ("FAILED", text),
        };
        eprintln!("e2e: {name} {word} after {:.1} s: {text}", took.as_secs_f64());
        self.lines.push(Line {
            name: name.to_owned(),
            took,
            seen,
        });
    }

    /// Prints the table. A run without a test has passed nothing.
    pub(crate) fn end(&self) -> ExitCode {
        println!("\n{:<6} {:<22} {:>7}  seen", "", "test", "seconds");
        for line in &self.lines {
            let (word, text) = match &line.seen {
                Ok(text) => ("ok", text),
                Err(text) => ("FAILED", text),
            };
            let text = text.replace('\n', " ");
            let text: String = text.chars().take(WIDEST).collect();
            let took = line.took.as_secs_f64();
            println!("{word:<6} {:<22} {took:>7.1}  {text}", line.name);
        }
        let failed = self.lines.iter().filter(|line| line.seen.is_err()).count();
        println!("{} tests, {failed} failed", self.lines.len());
        if failed == 0 && !self.lines.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn words(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(|| "a panic without words".to_owned(), |text| (*text).to_owned()),
    }
}
