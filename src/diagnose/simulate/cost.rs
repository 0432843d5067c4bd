//! What replicas cost.

/// Hours of a month: 365 days of 24 hours, in twelve parts.
pub const MONTH: f64 = 730.0;

/// The price of one replica for one hour, in any currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price(f64);

/// What a replica requests, and the prices of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// Price of one core for one hour.
    pub core: f64,
    /// Cores that a replica requests.
    pub cores: f64,
    /// Price of one GiB of memory for one hour.
    pub gibibyte: f64,
    /// GiB of memory that a replica requests.
    pub gibibytes: f64,
}

impl Price {
    /// A price that is 0 or more; `None` for anything else.
    #[must_use]
    pub fn of(price: f64) -> Option<Self> {
        (price.is_finite() && price >= 0.0).then_some(Self(price))
    }

    /// The price of what a replica requests. Example: 0.5 cores at 0.04 and 1 GiB at 0.005 are 0.025.
    #[must_use]
    pub fn of_parts(parts: Parts) -> Option<Self> {
        Self::of(parts.core * parts.cores + parts.gibibyte * parts.gibibytes)
    }

    /// The price of so many replicas on average, for a month. Example: 7 replicas at 0.1566 cost 800.
    #[must_use]
    pub fn month(self, replicas: f64) -> f64 {
        self.0 * replicas * MONTH
    }

    /// The price of one replica for one hour.
    #[must_use]
    pub fn hour(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_730_hours() {
        let price = Price::of(0.1566).unwrap();
        assert!((price.month(7.0) - 800.2).abs() < 0.1);
        assert!((price.month(6.0) - 685.9).abs() < 0.1);
        let parts = Parts {
            core: 0.04,
            cores: 0.5,
            gibibyte: 0.005,
            gibibytes: 1.0,
        };
        assert!((Price::of_parts(parts).unwrap().hour() - 0.025).abs() < 1e-12);
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Price::of(wrong), None);
        }
    }
}
