//! Latency by percentile, in milliseconds, in the text format that HdrHistogram's plotters read (`.hgrm`).

use std::fmt::Write as _;

use crate::model::latencies::Latencies;

/// Lines for each halving of the distance to 100 %: 5 from 0 % to 50 %, 5 from 50 % to 75 %, and so on.
const TICKS: u32 = 5;

/// Writes the percentiles of a histogram.
pub fn render(latencies: &Latencies) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, latencies);
    out
}

fn write_all(out: &mut String, latencies: &Latencies) -> std::fmt::Result {
    let histogram = latencies.histogram();
    let millis = |micros: f64| micros / 1000.0;
    writeln!(
        out,
        "{:>12} {:>14} {:>10} {:>14}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    )?;
    let mut count = 0;
    for step in histogram.iter_quantiles(TICKS) {
        #[expect(clippy::cast_precision_loss, reason = "an hour of microseconds is exact")]
        let value = millis(step.value_iterated_to() as f64);
        let quantile = step.quantile_iterated_to();
        count += step.count_since_last_iteration();
        write!(out, "{value:>12.3} {quantile:>14.12} {count:>10}")?;
        if quantile < 1.0 {
            writeln!(out, " {:>14.2}", 1.0 / (1.0 - quantile))?;
        } else {
            writeln!(out)?;
        }
    }
    writeln!(
        out,
        "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]",
        millis(histogram.mean()),
        millis(histogram.stdev())
    )?;
    writeln!(
        out,
        "#[Max     = {:>12.3}, Total count    = {:>12}]",
        latencies.max().map_or(0.0, |max| max.as_secs_f64() * 1e3),
        latencies.count()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::passing;

    #[test]
    fn percentiles_rise_to_all_requests_in_milliseconds() {
        let text = render(&passing().measured.total.latency);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .filter(|line| line.starts_with(' ') && !line.contains("Value"))
            .map(|line| {
                line.split_whitespace()
                    .map(|word| word.parse().unwrap())
                    .collect()
            })
            .collect();
        assert!(rows.len() > 10, "{text}");
        assert!(
            rows.is_sorted_by(|one, other| one[0] <= other[0] && one[1] <= other[1]),
            "{text}"
        );
        let last = rows.last().unwrap();
        assert!(
            (last[0] - 1000.0).abs() < 1.0 && (last[1] - 1.0).abs() < 1e-12,
            "{text}"
        );
        assert!(text.contains("Total count    =          100"), "{text}");
    }
}
