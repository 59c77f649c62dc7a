//! Figures in scenarios: decimals in text, as in reports, or JSON numbers.

use std::{borrow::Cow, fmt};

use citadel_domain::Money;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::SchemaType, schema::Type},
};

/// Dollars: a text such as `"1935.77"`, or a number, with at most two digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

/// A plain number: a text such as `"37.5"`, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub Decimal);

/// A schema that takes texts and numbers.
macro_rules! figure_schema {
    ($type:ident, $name:literal, $about:literal, $example:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
                    .description(Some($about))
                    .examples([$example])
                    .build()
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

figure_schema!(
    Amount,
    "ScenarioAmount",
    "Dollars, as text or as a number, with at most two digits after the point.",
    "1935.77"
);
figure_schema!(Number, "ScenarioNumber", "A plain number below 100 million, as text or as a number.", "37.5");

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(deserializer.deserialize_any(Figure)?).ok_or_else(|| {
            de::Error::custom("an amount has at most two digits after the point and is below 100 million")
        })
    }
}

impl Amount {
    /// `None` for what is no amount.
    pub(super) fn of(decimal: Decimal) -> Option<Self> {
        let is_amount = decimal.normalize().scale() <= 2 && is_bounded(decimal);
        Money::from_decimal(decimal).filter(|_| is_amount).map(Self)
    }
}

/// Up to a hundred million: sums of a year stay far from the end of the range.
fn is_bounded(decimal: Decimal) -> bool {
    decimal.abs() <= 100_000_000.into()
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let decimal = deserializer.deserialize_any(Figure)?;
        if is_bounded(decimal) {
            Ok(Self(decimal))
        } else {
            Err(de::Error::custom("a number is below 100 million"))
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Figure;

impl Figure {
    fn read<E: de::Error>(text: &str) -> Result<Decimal, E> {
        Decimal::from_str_exact(text).map_err(|_| E::invalid_value(de::Unexpected::Other("that text"), &Self))
    }
}

impl de::Visitor<'_> for Figure {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number such as \"1935.77\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        Self::read(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
        // The shortest text that means the same number is what was written.
        Self::read(&number.to_string())
    }
}
