//! Bank accounts as clients send them (schemas 3.3): the same rules for a bridge token and for a refresh.

use citadel_api_types::{Redacted, bridge_tokens::AccountDetails as Sent};
use citadel_domain::{
    AccountDetails, Environment, Product, Secret,
    account::{AccountAction, AccountType, DepositType},
};
use rust_decimal::Decimal;

/// Digits of an account or routing number, at the most.
const MAX_DIGITS: usize = 17;
/// Characters of a bank's name or address, at the most.
const MAX_TEXT: usize = 200;
/// Dollars that one pay day may bring to an account, at the most.
const MAX_AMOUNT: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// What is wrong, as `(field, message)`.
pub(crate) type Problems = Vec<(String, String)>;

/// Whether a product is about a bank account.
pub(crate) const fn is_needed(product: Product) -> bool {
    matches!(product, Product::DepositSwitch | Product::Pll | Product::Fas)
}

/// Checks the account of a request for a product that needs one. Every problem is named.
pub(crate) fn check(
    sent: Option<&Sent>,
    product: Product,
    environment: Environment,
) -> Result<AccountDetails, Problems> {
    let mut check = Check { problems: Vec::new(), environment };
    let empty = Sent::default();
    let sent = sent.unwrap_or(&empty);
    let account_number = check.digits("account_number", sent.account_number.as_ref().map(Redacted::expose));
    let account_type =
        check.word("account_type", sent.account_type.as_deref(), &AccountType::ALL, AccountType::as_str);
    let account_type = check.required("account_type", sent.account_type.as_deref(), account_type);
    let routing_number = check.routing_number(sent.routing_number.as_deref());
    let bank_name = check.text("bank_name", sent.bank_name.as_deref());
    let bank_name = check.required("bank_name", sent.bank_name.as_deref(), bank_name);
    let bank_address = check.text("bank_address", sent.bank_address.as_deref());
    let action = check.word("action", sent.action.as_deref(), &AccountAction::ALL, AccountAction::as_str);
    let (deposit_type, deposit_value) = match product {
        // A funding account has no share: everything is paid from it.
        Product::Fas => (None, None),
        _ => check.share(sent, product),
    };
    match (account_number, account_type, routing_number, bank_name) {
        (Some(account_number), Some(account_type), Some(routing_number), Some(bank_name))
            if check.problems.is_empty() =>
        {
            Ok(AccountDetails {
                account_number,
                account_type,
                routing_number,
                bank_name,
                bank_address,
                deposit_type,
                deposit_value,
                action,
            })
        }
        _ => Err(check.problems),
    }
}

/// How much of the pay goes to an account, checked by itself: what the person chose in the widget.
pub(crate) fn check_share(
    deposit_type: Option<&str>,
    deposit_value: Option<&str>,
    prefix: &str,
) -> Result<(DepositType, Option<Decimal>), Problems> {
    let mut check = Check { problems: Vec::new(), environment: Environment::Sandbox };
    let sent = Sent {
        deposit_type: deposit_type.map(str::to_owned),
        deposit_value: deposit_value.map(str::to_owned),
        ..Sent::default()
    };
    let (kind, value) = check.share(&sent, Product::DepositSwitch);
    if check.problems.is_empty() {
        return Ok((kind.unwrap_or(DepositType::Entire), value));
    }
    let renamed = |(field, message): (String, String)| (field.replace("account.", prefix), message);
    Err(check.problems.into_iter().map(renamed).collect())
}

struct Check {
    problems: Problems,
    environment: Environment,
}

impl Check {
    fn refuse<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.problems.push((format!("account.{field}"), message.into()));
        None
    }

    /// `value`, or the complaint that nothing was sent. What was sent and is wrong was complained about before.
    fn required<T>(&mut self, field: &str, sent: Option<&str>, value: Option<T>) -> Option<T> {
        if sent.is_none() {
            return self.refuse(field, "This field is required.");
        }
        value
    }

    fn digits(&mut self, field: &str, text: Option<&str>) -> Option<Secret> {
        match text {
            None | Some("") => self.refuse(field, "This field is required."),
            Some(text) if text.len() > MAX_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.refuse(field, format!("Send 1 to {MAX_DIGITS} digits."))
            }
            Some(text) => Some(Secret::new(text)),
        }
    }

    /// Published clients send `123456789` and `12345678` to the sandbox; real banks have nine digits and a check digit.
    fn routing_number(&mut self, text: Option<&str>) -> Option<Secret> {
        let number = self.digits("routing_number", text)?;
        if self.environment != Environment::Sandbox && !is_routing_number(number.expose()) {
            return self
                .refuse("routing_number", "Not a routing number: nine digits, the last a check digit.");
        }
        Some(number)
    }

    fn word<T: Copy>(
        &mut self,
        field: &str,
        text: Option<&str>,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = text?;
        all.iter().copied().find(|value| as_str(*value) == text).or_else(|| {
            let known: Vec<_> = all.iter().map(|value| as_str(*value)).collect();
            self.refuse(field, format!("Send one of: {}.", known.join(", ")))
        })
    }

    fn text(&mut self, field: &str, text: Option<&str>) -> Option<String> {
        let text = text?;
        if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
            return self.refuse(field, format!("At most {MAX_TEXT} characters on one line."));
        }
        Some(text.to_owned())
    }

    fn share(&mut self, sent: &Sent, product: Product) -> (Option<DepositType>, Option<Decimal>) {
        let kind =
            self.word("deposit_type", sent.deposit_type.as_deref(), &DepositType::ALL, DepositType::as_str);
        if sent.deposit_type.is_none() && (product == Product::Pll || sent.deposit_value.is_some()) {
            let message = "This field is required: entire, percent or amount.";
            self.refuse::<()>("deposit_type", message);
        }
        let needs_value = match (kind, &sent.deposit_type) {
            (Some(DepositType::Entire), _) => return (kind, None),
            (Some(_), _) => true,
            // A loan without a share is told about both fields at once.
            (None, None) => product == Product::Pll,
            (None, Some(_)) => false,
        };
        let value = match sent.deposit_value.as_deref() {
            None if needs_value => self.refuse("deposit_value", "This field is required."),
            None => None,
            Some(text) => self.value(kind, text),
        };
        (kind, value)
    }

    fn value(&mut self, kind: Option<DepositType>, text: &str) -> Option<Decimal> {
        let most = if kind == Some(DepositType::Percent) { Decimal::ONE_HUNDRED } else { MAX_AMOUNT };
        match Decimal::from_str_exact(text).map(|value| value.normalize()) {
            Ok(value) if value.scale() > 2 => {
                self.refuse("deposit_value", "At most two digits after the point.")
            }
            Ok(value) if value > Decimal::ZERO && value <= most => Some(value),
            Ok(_) => self.refuse("deposit_value", format!("Send more than 0 and at most {most}.")),
            Err(_) => self.refuse("deposit_value", "Not a decimal number."),
        }
    }
}

/// The check of the American Bankers Association: nine digits whose sum, weighted 3, 7, 1, ends in 0.
fn is_routing_number(text: &str) -> bool {
    let weights = [3, 7, 1, 3, 7, 1, 3, 7, 1];
    let sum: u32 = text.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    text.len() == 9 && sum.is_multiple_of(10) && text != "000000000"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Sent {
        Sent {
            account_number: Some("16002600".into()),
            account_type: Some("checking".to_owned()),
            routing_number: Some("123456789".to_owned()),
            bank_name: Some("TD Bank".to_owned()),
            ..Sent::default()
        }
    }

    fn refused(sent: &Sent, product: Product, expected: &[&str]) {
        let problems = check(Some(sent), product, Environment::Sandbox).unwrap_err();
        let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, expected, "{product}");
    }

    fn share(product: Product, kind: Option<&str>, value: Option<&str>) -> Result<(), Vec<String>> {
        let sent =
            Sent { deposit_type: kind.map(str::to_owned), deposit_value: value.map(str::to_owned), ..seed() };
        let fields = |problems: Problems| problems.into_iter().map(|(field, _)| field).collect();
        check(Some(&sent), product, Environment::Sandbox).map(drop).map_err(fields)
    }

    #[test]
    fn what_published_clients_send_is_right() {
        let account = check(Some(&seed()), Product::DepositSwitch, Environment::Sandbox).unwrap();
        assert_eq!((account.share(), account.deposit_value), (DepositType::Entire, None));
        let ruby = Sent {
            account_number: Some("10062800".into()),
            routing_number: Some("12345678".into()),
            ..seed()
        };
        for product in [Product::DepositSwitch, Product::Fas] {
            assert!(check(Some(&ruby), product, Environment::Sandbox).is_ok());
        }
        assert_eq!(share(Product::Pll, Some("amount"), Some("1")), Ok(()));
        assert_eq!(share(Product::Pll, Some("amount"), Some("100")), Ok(()));
        assert_eq!(share(Product::DepositSwitch, Some("percent"), Some("50.0")), Ok(()));
    }

    #[test]
    fn every_missing_field_is_named() {
        let required =
            ["account.account_number", "account.account_type", "account.routing_number", "account.bank_name"];
        refused(&Sent::default(), Product::DepositSwitch, &required);
        refused(&Sent::default(), Product::Fas, &required);
        let with_share = [required.as_slice(), &["account.deposit_type", "account.deposit_value"]].concat();
        refused(&Sent::default(), Product::Pll, &with_share);
        refused(&seed(), Product::Pll, &["account.deposit_type", "account.deposit_value"]);
    }

    #[test]
    fn shares_have_limits() {
        let value = || Err(vec!["account.deposit_value".to_owned()]);
        for text in ["0", "-1", "100.01", "1.234", "x", "1e5", "", " 5", "1000000000000", "nan"] {
            assert_eq!(share(Product::DepositSwitch, Some("percent"), Some(text)), value(), "{text:?}");
        }
        for text in ["0", "-0.01", "1000000.01", "1000000000000", "0.001"] {
            assert_eq!(share(Product::Pll, Some("amount"), Some(text)), value(), "{text:?}");
        }
        for (kind, text) in [("percent", "100"), ("percent", "0.01"), ("amount", "1000000"), ("entire", "7")]
        {
            assert_eq!(share(Product::Pll, Some(kind), Some(text)), Ok(()), "{kind} {text}");
        }
        assert_eq!(
            share(Product::DepositSwitch, Some("half"), Some("5")),
            Err(vec!["account.deposit_type".to_owned()])
        );
        assert_eq!(
            share(Product::DepositSwitch, None, Some("5")),
            Err(vec!["account.deposit_type".to_owned()])
        );
        assert_eq!(share(Product::Pll, Some("amount"), None), value());
    }

    #[test]
    fn wrong_values_are_named() {
        let long = "0".repeat(40);
        for number in ["12a4", "", " 1", &long] {
            let sent = Sent { account_number: Some(number.into()), ..seed() };
            refused(&sent, Product::Fas, &["account.account_number"]);
        }
        refused(&Sent { account_type: Some("C".into()), ..seed() }, Product::Fas, &["account.account_type"]);
        refused(&Sent { action: Some("move".into()), ..seed() }, Product::Fas, &["account.action"]);
        refused(&Sent { bank_name: Some("a\nb".into()), ..seed() }, Product::Fas, &["account.bank_name"]);
    }

    #[test]
    fn outside_the_sandbox_routing_numbers_have_a_check_digit() {
        let of = |number: &str| Sent { routing_number: Some(number.to_owned()), ..seed() };
        for (number, is_right) in
            [("110000001", false), ("011000015", true), ("123456789", false), ("12345678", false)]
        {
            let found = check(Some(&of(number)), Product::Fas, Environment::Prod);
            assert_eq!(found.is_ok(), is_right, "{number}");
            assert!(check(Some(&of(number)), Product::Fas, Environment::Sandbox).is_ok(), "{number}");
        }
    }
}
