//! The tables of `docs/voiceassist-benchmarks.md`. What stands outside of the marks stays.

use std::{fmt::Write as _, fs, path::PathBuf};

use crate::{
    arguments::{Arguments, Size},
    cases::{Case, Row},
    load::Measured,
    mix::Mix,
    own::Own,
};

const BEGIN: &str = "<!-- measured:begin -->\n";
const END: &str = "<!-- measured:end -->";

/// The part between the marks.
pub(crate) struct Document {
    claims: String,
    tables: String,
    rest: String,
    size: Size,
    load: String,
}

impl Document {
    pub(crate) fn begin(size: Size) -> Self {
        Self {
            claims: String::new(),
            tables: String::new(),
            rest: String::new(),
            size,
            load: load_average(),
        }
    }

    /// A case: one line among the claims, and a table.
    pub(crate) fn case(&mut self, case: &Case, rows: &[Row]) {
        let least = self.size.users.first().copied().unwrap_or_default();
        let found = |variant: &str, users: u32| {
            let row = rows
                .iter()
                .find(|row| row.variant == variant && row.users == users);
            row.and_then(|row| row.measured)
        };
        let _ = write!(self.claims, "| {} | {} % |", case.name, case.claim);
        for users in [least, 50] {
            let faster = found("all off", users).zip(found("all on", users));
            let cell = faster.map_or("INVALID".to_owned(), |(before, after)| faster_by(&before, &after));
            let _ = write!(self.claims, " {cell} |");
        }
        self.claims.push('\n');
        let _ = writeln!(
            self.tables,
            "\n### {}\n\n| users | variant | p50 | p95 | queries of a request | CPU of PostgreSQL for it | answered | errors |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |",
            case.name
        );
        for Row {
            variant,
            users,
            measured,
        } in rows
        {
            let _ = match measured {
                Some(found) => writeln!(
                    self.tables,
                    "| {users} | {variant} | {} | {} | {} | {} | {} | {} |",
                    time(found.p50),
                    time(found.p95),
                    time(found.queries),
                    time(found.database_cpu),
                    found.answered,
                    found.errors
                ),
                None => writeln!(self.tables, "| {users} | {variant} | INVALID | | | | | |"),
            };
        }
    }

    pub(crate) fn most(&mut self, most: Option<f64>) {
        let found = most.map_or("INVALID".to_owned(), |most| {
            format!("{most:.0} requests a second")
        });
        let _ = writeln!(
            self.rest,
            "\n### The most from memory\n\nThe flags, by 50 users who do not think, generator and gateway on the same cores: {found}."
        );
    }

    pub(crate) fn mix(&mut self, mixes: &[Mix]) {
        self.rest.push_str(
            "\n### The scenario `mixed`, 100 users\n\n\
             | cache | requests | errors | p50 | p95 | CPU of PostgreSQL | memory of the gateway | memory of Redis |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for mix in mixes {
            let _ = writeln!(
                self.rest,
                "| {} | {} | {} | {} | {} | {:.2} cores | {} MB | {} MB |",
                if mix.cache { "on" } else { "off" },
                mix.requests,
                mix.errors,
                time(mix.p50),
                time(mix.p95),
                mix.database_cpu,
                mix.memory >> 20,
                mix.redis >> 20
            );
        }
        let Some(cached) = mixes.iter().find(|mix| mix.cache) else {
            self.rest.push_str("\nThe run with the cache was INVALID.\n");
            return;
        };
        self.rest.push_str("\n| cache and tier | hits |\n| --- | --- |\n");
        for (labels, percent) in &cached.hits {
            let _ = writeln!(self.rest, "| {labels} | {percent:.1} % |");
        }
        self.rest
            .push_str("\n| tier and operation | mean |\n| --- | --- |\n");
        for (labels, seconds) in &cached.operations {
            let _ = writeln!(self.rest, "| {labels} | {} |", time(*seconds));
        }
    }

    pub(crate) fn own(&mut self, own: &Own) {
        let _ = writeln!(
            self.rest,
            "\n### The profiler itself\n\nThe smallest query takes {} through it and {} beside it (medians).",
            time(own.with),
            time(own.without)
        );
    }

    /// Writes it between the marks of the document.
    pub(crate) fn write(&self, arguments: &Arguments) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/voiceassist-benchmarks.md");
        let text = fs::read_to_string(&path).expect("docs/voiceassist-benchmarks.md is there");
        let (head, rest) = text.split_once(BEGIN).expect("it has the mark of the begin");
        let (_, foot) = rest.split_once(END).expect("it has the mark of the end");
        let Size { amounts, seconds, .. } = self.size;
        let body = format!(
            "Written by `make bench-voiceassist{}`; edits between the marks are lost. {} cores, shared by all processes, the load \
             generator among them; load average {} before and {} after. {} messages, {} accounts, {} documents, {} entries of the \
             audit log; each run {seconds} s, users who ask about once a second.\n\n\
             | | the report: faster by | measured, 1 user | measured, 50 users |\n| --- | --- | --- | --- |\n{}{}{}",
            if arguments.quick { " ARGS=--quick" } else { "" },
            std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            self.load,
            load_average(),
            amounts.messages,
            amounts.accounts,
            amounts.documents,
            amounts.audit_entries,
            self.claims,
            self.tables,
            self.rest
        );
        fs::write(&path, format!("{head}{BEGIN}{body}{END}{foot}")).unwrap();
        eprintln!("bench: wrote {}", path.display());
    }
}

/// By how much the median became shorter. With requests that failed the comparison says less, so it says that.
fn faster_by(before: &Measured, after: &Measured) -> String {
    let percent = 100.0 * (1.0 - after.p50 / before.p50);
    let failed = if before.errors + after.errors > 0 {
        ", with errors"
    } else {
        ""
    };
    format!(
        "{percent:.1} % ({} to {}{failed})",
        time(before.p50),
        time(after.p50)
    )
}

fn time(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.001 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
