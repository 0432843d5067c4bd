//! A Kubernetes quantity on the command line.

use std::str::FromStr;

use vas_core::k8s::quantity;

/// A quantity above zero, such as `250m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Amount(f64);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let amount = quantity::parse_str(text).map_err(|error| error.to_string())?;
        let value = amount.as_f64();
        if value > 0.0 {
            Ok(Self(value))
        } else {
            Err("must be more than 0".to_owned())
        }
    }
}

impl Amount {
    pub(super) fn value(self) -> f64 {
        self.0
    }

    /// Whole milli-units.
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    pub(super) fn milli(self) -> i64 {
        (self.0 * 1000.0).ceil() as i64
    }
}
