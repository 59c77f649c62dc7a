//! Net pay over deposit accounts.

use citadel_domain::{Money, account::DepositType, payroll::DepositAccount};
use rust_decimal::Decimal;

/// The part of `net` that goes to each account, in their order: fixed amounts and percents, and what they leave. It sums to
/// `net`, all of it for the one who takes the rest where there is less than nothing to divide. Empty without accounts.
pub(super) fn divide(net: Money, accounts: &[DepositAccount]) -> Vec<Money> {
    let takes_all = |account: &DepositAccount| account.deposit_type == Some(DepositType::Entire);
    // A split in which percents take everything has nobody for the rest but its last account.
    let rest_at = accounts.iter().rposition(takes_all).or(accounts.len().checked_sub(1));
    let Some(rest_at) = rest_at else { return Vec::new() };
    let mut parts = vec![Money::ZERO; accounts.len()];
    let mut rest = net;
    for (index, account) in accounts.iter().enumerate().filter(|(index, _)| *index != rest_at) {
        let part = wanted(net, account).clamp(Money::ZERO, rest.max(Money::ZERO));
        parts[index] = part;
        rest = rest - part;
    }
    parts[rest_at] = rest;
    parts
}

fn wanted(net: Money, account: &DepositAccount) -> Money {
    let value = account.deposit_value.unwrap_or_default();
    let dollars = match account.deposit_type {
        Some(DepositType::Amount) => Some(value),
        Some(DepositType::Percent) => {
            net.to_decimal().checked_mul(value).map(|product| product / Decimal::ONE_HUNDRED)
        }
        Some(DepositType::Entire) | None => None,
    };
    dollars.and_then(Money::from_decimal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use citadel_domain::Secret;

    use super::*;

    fn account(kind: DepositType, value: Option<i64>) -> DepositAccount {
        DepositAccount {
            account_number: Secret::new("1"),
            routing_number: Secret::new("2"),
            account_name: None,
            bank_name: None,
            account_type: None,
            deposit_type: Some(kind),
            deposit_value: value.map(Decimal::from),
        }
    }

    #[test]
    fn parts_sum_to_net_pay() {
        use DepositType::{Amount, Entire, Percent};
        let check = |net: i64, rows: &[(DepositType, Option<i64>)], expected: &[i64]| {
            let accounts: Vec<_> = rows.iter().map(|(kind, value)| account(*kind, *value)).collect();
            let parts: Vec<i64> =
                divide(Money::from_cents(net), &accounts).iter().map(|part| part.cents()).collect();
            assert_eq!(parts, expected, "{net} {rows:?}");
        };
        check(100_001, &[(Entire, None)], &[100_001]);
        check(100_001, &[(Amount, Some(50)), (Percent, Some(10)), (Entire, None)], &[5_000, 10_000, 85_001]);
        check(100_001, &[(Entire, None), (Percent, Some(50))], &[50_000, 50_001]);
        check(101, &[(Percent, Some(50)), (Percent, Some(50))], &[51, 50]);
        check(4_000, &[(Amount, Some(50)), (Entire, None)], &[4_000, 0]);
        check(-4_000, &[(Amount, Some(50)), (Percent, Some(10)), (Entire, None)], &[0, 0, -4_000]);
        check(4_000, &[(Percent, Some(250)), (Entire, None)], &[4_000, 0]);
        check(4_000, &[(Percent, Some(i64::MAX)), (Entire, None)], &[0, 4_000]);
        check(4_000, &[], &[]);
    }
}
