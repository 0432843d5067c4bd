//! The section of docs/benchmarks.md: the table, the ratios, and which aims are met.

use std::fmt::Write as _;

use super::{
    sample::Samples,
    table::Table,
    tools::{Mode, Tool},
};

/// Name of the section in its marks.
pub(crate) const NAME: &str = "load-generator";

/// How the measurement was made.
#[derive(Debug)]
pub(crate) struct Setting {
    pub seconds: u64,
    pub repeats: u32,
    pub connections: u32,
    /// Generators that are not installed.
    pub absent: Vec<Tool>,
}

/// The section, without its markers.
pub(crate) fn text(samples: &Samples, setting: &Setting) -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "## Load generators\n\n\
         `make bench-load`: {} runs of {} s of each, in turns, {} connections, HTTP/1.1 with keep-alive, on a machine of \
         {processors} processors that the server runs on too. Figures are medians. Schedule error: how much later than \
         at a constant rate requests arrived at the server, after the first second. CPU: user and system time of the \
         generator, its start included, for each request. Latency counts from the due moment in vas, oha and vegeta.\n",
        setting.repeats, setting.seconds, setting.connections
    );
    for mode in Mode::ALL {
        let table = table(samples, mode, setting.repeats);
        let _ = write!(text, "\n### {}\n\n{table}", title(mode));
    }
    text += "\n### Aims\n\n";
    for aim in aims(samples) {
        let _ = writeln!(text, "- {aim}");
    }
    for tool in &setting.absent {
        let _ = writeln!(text, "- {} was not there: `{}`", tool.name(), tool.how_to_get());
    }
    text
}

fn title(mode: Mode) -> String {
    match mode {
        Mode::Open(_) => format!("Open loop, {}", mode.name()),
        Mode::Closed => "Closed loop, as fast as it goes".to_owned(),
    }
}

fn table(samples: &Samples, mode: Mode, repeats: u32) -> String {
    let mut table = Table::new(&[
        "generator",
        "requests/s",
        "schedule error p50",
        "p99",
        "CPU per request",
        "vas : it",
        "peak RSS",
    ]);
    let vas = samples.median(mode, Tool::Vas);
    for tool in Tool::ALL {
        let Some(median) = samples.median(mode, tool) else {
            continue;
        };
        let millis = |seconds: Option<f64>| {
            seconds.map_or("-".to_owned(), |seconds| format!("{:.3} ms", seconds * 1e3))
        };
        let runs = samples.count(mode, tool);
        let fewer = if u32::try_from(runs).is_ok_and(|runs| runs < repeats) {
            format!(" ({runs} runs)")
        } else {
            String::new()
        };
        table.row(vec![
            format!("{}{fewer}", tool.name()),
            format!("{:.0}", median.rate),
            millis(median.error.map(|(p50, _)| p50)),
            millis(median.error.map(|(_, p99)| p99)),
            format!("{:.1} µs", median.micros),
            vas.map_or("-".to_owned(), |vas| format!("{:.2}", vas.micros / median.micros)),
            format!("{:.1} MiB", median.peak / 1024.0),
        ]);
    }
    table.markdown()
}

/// Each aim, with what was measured.
fn aims(samples: &Samples) -> Vec<String> {
    let error = samples
        .median(Mode::Open(5000), Tool::Vas)
        .and_then(|median| median.error);
    let mut aims = vec![judged(
        "schedule error p99 below 1 ms at 5000 requests/s",
        error.map(|(_, p99)| (p99 * 1e3, p99 < 0.001)),
        " ms",
    )];
    for (tool, most, words) in [
        (Tool::Oha, 1.3, "at most 1.3 times that of oha"),
        (Tool::K6, 0.125, "at most an eighth of that of k6"),
    ] {
        for mode in Mode::ALL {
            let both = samples.median(mode, Tool::Vas).zip(samples.median(mode, tool));
            let ratio = both.map(|(vas, other)| vas.micros / other.micros);
            aims.push(judged(
                &format!("CPU per request {words}, {}", mode.name()),
                ratio.map(|ratio| (ratio, ratio <= most)),
                " times",
            ));
        }
    }
    aims
}

fn judged(aim: &str, measured: Option<(f64, bool)>, unit: &str) -> String {
    match measured {
        Some((value, true)) => format!("met: {aim} ({value:.3}{unit})"),
        Some((value, false)) => format!("**missed**: {aim} ({value:.3}{unit})"),
        None => format!("not measured: {aim}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    fn sample(micros: f64, p99: f64) -> Sample {
        Sample {
            rate: 5000.0,
            error: Some((0.0, p99)),
            micros,
            peak: 1024.0,
        }
    }

    #[test]
    fn aims_are_met_missed_or_not_measured() {
        let mut samples = Samples::default();
        samples.add(Mode::Open(5000), Tool::Vas, sample(20.0, 0.0011));
        samples.add(Mode::Open(5000), Tool::Oha, sample(16.0, 0.002));
        let aims = aims(&samples);
        assert!(
            aims[0].starts_with("**missed**") && aims[0].contains("1.100 ms"),
            "{aims:?}"
        );
        let of_oha: Vec<&String> = aims.iter().filter(|aim| aim.contains("oha")).collect();
        assert!(of_oha[0].starts_with("not measured"), "{of_oha:?}");
        assert!(
            of_oha[1].starts_with("met") && of_oha[1].contains("1.250"),
            "{of_oha:?}"
        );
        assert!(
            aims.iter()
                .filter(|aim| aim.contains("k6"))
                .all(|aim| aim.starts_with("not measured"))
        );
    }
}
