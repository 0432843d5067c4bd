//! A count or a percentage, as PodDisruptionBudgets have them.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The value is neither a count of at least 0 nor a percentage from `0%` to `100%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 0 up, or a percentage from 0% to 100%")]
pub struct ParseShareError;

/// The number of pods that a count or percentage means if there are `total` pods. Percentages round up, for
/// `minAvailable` and for `maxUnavailable`: `50%` of 3 is 2. The disruption controller does the same
/// (`GetScaledValueFromIntOrPercent(.., roundUp=true)` in its `getExpectedPodCount`).
///
/// # Errors
/// See [`ParseShareError`].
pub fn of(share: &IntOrString, total: i32) -> Result<i32, ParseShareError> {
    match share {
        IntOrString::Int(count) if *count >= 0 => Ok(*count),
        IntOrString::Int(_) => Err(ParseShareError),
        IntOrString::String(text) => {
            let number = text.strip_suffix('%').ok_or(ParseShareError)?;
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ParseShareError);
            }
            let percent: i64 = number.parse().map_err(|_| ParseShareError)?;
            if percent > 100 {
                return Err(ParseShareError);
            }
            let scaled = (i64::from(total.max(0)) * percent + 99) / 100;
            i32::try_from(scaled).map_err(|_| ParseShareError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str, total: i32) -> Result<i32, ParseShareError> {
        of(&IntOrString::String(text.to_owned()), total)
    }

    #[test]
    fn a_percentage_rounds_up() {
        for (text, total, share) in [
            ("50%", 3, 2),
            ("50%", 2, 1),
            ("1%", 10, 1),
            ("0%", 10, 0),
            ("100%", 7, 7),
            ("25%", 0, 0),
        ] {
            assert_eq!(percent(text, total), Ok(share), "{text} of {total}");
        }
    }

    #[test]
    fn a_count_is_itself_whatever_the_total() {
        assert_eq!(of(&IntOrString::Int(4), 2), Ok(4));
    }

    #[test]
    fn refuses_what_is_neither_a_count_nor_a_percentage() {
        assert_eq!(of(&IntOrString::Int(-1), 2), Err(ParseShareError));
        for text in [
            "",
            "%",
            "5",
            "101%",
            "-1%",
            "5.5%",
            "+5%",
            "99999999999999999999%",
        ] {
            assert_eq!(percent(text, 2), Err(ParseShareError), "{text}");
        }
    }
}
