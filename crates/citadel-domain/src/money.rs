//! Exact money.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Sub},
    str::FromStr,
};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount of US dollars, exact to the cent. Prints and serialises as the wire form: `"1935.77"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount in cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// The amount as a decimal number of dollars.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// `amount` dollars rounded to the cent, halves away from zero, as payroll does it. `None` when out of range.
    pub fn from_decimal(amount: Decimal) -> Option<Self> {
        let cents = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        cents.checked_mul(Decimal::ONE_HUNDRED)?.try_into().ok().map(Self)
    }

    /// This amount times a rate such as `0.062`, rounded to the cent.
    ///
    /// # Panics
    /// When the product leaves the range of 64-bit cents; pay is far below that.
    pub fn times(self, rate: Decimal) -> Self {
        Self::from_decimal(self.to_decimal() * rate).expect("pay times a rate fits in 64-bit cents")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A report prints thousands of these: digits from the right, and one write.
        let mut text = [b'0'; 24];
        let (mut at, mut rest, mut printed) = (text.len(), self.0.unsigned_abs(), 0);
        while rest > 0 || printed < 3 {
            if printed == 2 {
                at -= 1;
                text[at] = b'.';
            }
            at -= 1;
            text[at] += (rest % 10) as u8;
            rest /= 10;
            printed += 1;
        }
        if self.0 < 0 {
            at -= 1;
            text[at] = b'-';
        }
        f.write_str(str::from_utf8(&text[at..]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

/// The text is not an amount with at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMoney;

impl fmt::Display for InvalidMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount is a decimal number with at most two decimals")
    }
}

impl std::error::Error for InvalidMoney {}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let amount: Decimal = text.parse().map_err(|_| InvalidMoney)?;
        let exact = amount.normalize().scale() <= 2;
        if exact { Self::from_decimal(amount).ok_or(InvalidMoney) } else { Err(InvalidMoney) }
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_two_decimals_and_reads_back() {
        for (cents, text) in
            [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (193_577, "1935.77"), (-10_000, "-100.00")]
        {
            assert_eq!(Money::from_cents(cents).to_string(), text);
            assert_eq!(text.parse(), Ok(Money::from_cents(cents)));
        }
        assert_eq!(Money::from_cents(i64::MIN).to_string(), "-92233720368547758.08");
        assert_eq!(Money::from_cents(i64::MAX).to_string(), "92233720368547758.07");
        assert_eq!("12".parse(), Ok(Money::from_cents(1200)));
        assert_eq!("12.345".parse::<Money>(), Err(InvalidMoney));
    }

    #[test]
    fn rates_round_half_away_from_zero() {
        assert_eq!(Money::from_cents(250).times(Decimal::new(5, 1)), Money::from_cents(125));
        assert_eq!(Money::from_cents(125).times(Decimal::new(2, 2)), Money::from_cents(3));
    }
}
