//! Places values on a chart, and chooses the values that get a grid line.

/// Maps values to a place from 0 (bottom of the chart) to 1 (top).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scale {
    /// Linear, beginning at zero.
    Linear {
        /// Value at the top of the chart; positive.
        top: f64,
        /// Distance from one grid line to the next.
        step: f64,
    },
    /// Logarithmic, with grid lines at powers of ten, or at 1, 2 and 5 times these.
    Log {
        /// Value at the bottom of the chart; positive.
        bottom: f64,
        /// Value at the top of the chart.
        top: f64,
    },
}

/// Factors of powers of ten that are easy to read.
const NICE: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// A chart whose highest value is more than this many times its lowest one is logarithmic.
const WIDE: f64 = 30.0;

impl Scale {
    /// A linear scale from zero to at least `most`, with about this many grid lines.
    pub(super) fn linear(most: f64, lines: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = nice(most / lines);
        // A value on a grid line needs no line above it. Without the small correction, rounding errors could
        // add one.
        let top = (most / step - 1e-9).ceil().max(1.0) * step;
        Self::Linear { top, step }
    }

    /// The same with grid lines at whole numbers only.
    pub(super) fn whole(most: f64, lines: f64) -> Self {
        match Self::linear(most.max(1.0), lines) {
            Self::Linear { step, .. } if step < 1.0 => Self::Linear {
                top: most.ceil().max(1.0),
                step: 1.0,
            },
            scale => scale,
        }
    }

    /// A logarithmic scale where values are far apart, a linear one otherwise. Values that are not positive
    /// are ignored.
    pub(super) fn of(values: impl Iterator<Item = f64>, lines: f64) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low.is_finite() && high / low > WIDE {
            // The largest of 1, 2 and 5 times the power of ten that is not above the lowest value: 20 for 37.
            let bottom = NICE_DOWN
                .iter()
                .map(|nice| nice * decade(low))
                .fold(0.0, |best, nice| if nice <= low { nice.max(best) } else { best });
            Self::Log {
                bottom,
                top: nice(high),
            }
        } else {
            Self::linear(high, lines)
        }
    }

    /// The place of a value, from 0 at the bottom to 1 at the top. Values beyond the scale are placed at its
    /// edge.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self {
            Self::Linear { top, .. } => value / top,
            Self::Log { bottom, top } => (value / bottom).ln() / (top / bottom).ln(),
        };
        if place.is_nan() {
            0.0
        } else {
            place.clamp(0.0, 1.0)
        }
    }

    /// Values of the grid lines, from bottom to top.
    pub(super) fn lines(&self) -> Vec<f64> {
        match self {
            Self::Linear { top, step } => multiples(*top, *step),
            Self::Log { bottom, top } => {
                let decades = (top / bottom).log10();
                // Over more than 2.5 powers of ten, lines at 2 and 5 times would be too many.
                let factors: &[f64] = if decades > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let mut lines = Vec::new();
                let mut base = decade(*bottom);
                while base <= top * 1.001 {
                    lines.extend(
                        factors
                            .iter()
                            .map(|factor| factor * base)
                            .filter(|line| (bottom * 0.999..=top * 1.001).contains(line)),
                    );
                    base *= 10.0;
                }
                lines
            }
        }
    }

    /// Whether the scale is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        matches!(self, Self::Log { .. })
    }
}

const NICE_DOWN: [f64; 3] = [1.0, 2.0, 5.0];

/// The power of ten at or below a positive value.
fn decade(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    if decade.is_finite() && decade > 0.0 {
        decade
    } else {
        1.0
    }
}

/// The smallest value that is easy to read and not below the given positive one: 20 for 13, 50 for 27.
fn nice(value: f64) -> f64 {
    let decade = decade(value);
    let found = NICE.iter().find(|nice| *nice * decade >= value * (1.0 - 1e-9));
    found.copied().unwrap_or(10.0) * decade
}

/// The multiples of `step` from 0 up to `top`.
pub(super) fn multiples(top: f64, step: f64) -> Vec<f64> {
    /// No chart has more lines than this, whatever the values are.
    const MOST: u32 = 60;
    (0..=MOST)
        .map(|number| f64::from(number) * step)
        .take_while(|value| *value <= top * (1.0 + 1e-9))
        .collect()
}

/// Seconds from one line of the time axis to the next, such that there are at most `most` lines.
pub(super) fn time_step(length: f64, most: f64) -> f64 {
    const STEPS: [f64; 15] = [
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0,
    ];
    let fits = STEPS.into_iter().find(|step| length / step <= most);
    fits.unwrap_or_else(|| 86400.0 * (length / most / 86400.0).ceil().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(scale: &Scale) -> Vec<f64> {
        let round = |line: f64| (line * 1e9).round() / 1e9;
        scale.lines().into_iter().map(round).collect()
    }

    #[test]
    fn lines_are_round_and_the_top_is_one() {
        assert_eq!(lines(&Scale::linear(873.0, 4.0)), [0.0, 500.0, 1000.0]);
        assert_eq!(lines(&Scale::linear(0.4, 4.0)), [0.0, 0.1, 0.2, 0.3, 0.4]);
        assert_eq!(lines(&Scale::whole(2.0, 4.0)), [0.0, 1.0, 2.0]);
        assert_eq!(lines(&Scale::whole(10.0, 4.0)), [0.0, 5.0, 10.0]);
    }

    #[test]
    fn values_far_apart_get_a_logarithm_and_others_a_zero() {
        let near = Scale::of([0.05, 0.2].into_iter(), 4.0);
        assert_eq!(lines(&near), [0.0, 0.05, 0.1, 0.15, 0.2]);
        let far = Scale::of([0.004, 3.0, 0.0].into_iter(), 4.0);
        assert_eq!(lines(&far), [0.01, 0.1, 1.0]);
        assert!(far.is_log() && far.place(0.002).abs() < 1e-9 && (far.place(5.0) - 1.0).abs() < 1e-9);
        assert!(far.place(0.1) > 0.4 && far.place(0.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_number_has_a_scale_and_a_place_all_the_same() {
        for values in [vec![], vec![f64::NAN], vec![f64::INFINITY, 0.0], vec![-1.0]] {
            let scale = Scale::of(values.into_iter(), 4.0);
            assert_eq!(scale, Scale::linear(1.0, 4.0));
            assert!((0.0..=1.0).contains(&scale.place(f64::NAN)));
        }
        assert!((2..=60).contains(&Scale::linear(1e300, 4.0).lines().len()));
        assert!((2..=60).contains(&Scale::linear(1e-300, 4.0).lines().len()));
    }

    #[test]
    fn a_time_axis_of_any_length_has_few_lines() {
        for length in [1.0, 59.0, 600.0, 5400.0, 1e6, 1e8] {
            let count = length / time_step(length, 10.0);
            assert!(count <= 10.0 && count > 0.01, "{length}: {count}");
        }
    }
}
