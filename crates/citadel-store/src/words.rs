//! Short lists in one text column: words between spaces, phrases on lines of their own. Nothing searches inside them.

use std::str::FromStr;

use citadel_domain::Product;

use crate::Error;

/// Products, origins and provider ids, none of which has a space.
pub(crate) fn join<T: AsRef<str>>(words: &[T]) -> String {
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
}

pub(crate) fn join_products(products: &[Product]) -> String {
    join(&products.iter().map(|product| product.as_str()).collect::<Vec<_>>())
}

/// Names and nicknames.
pub(crate) fn join_lines(phrases: &[String]) -> String {
    phrases.join("\n")
}

pub(crate) fn split<T: FromStr>(text: &str) -> Result<Vec<T>, Error> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| Error::Corrupt { what: "a list of words" })).collect()
}

pub(crate) fn split_lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_round_trip() {
        let products = [Product::Income, Product::DepositSwitch];
        assert_eq!(split::<Product>(&join_products(&products)).unwrap(), products);
        assert_eq!(split::<String>(&join::<&str>(&[])).unwrap(), Vec::<String>::new());
        assert!(split::<Product>("income elsewhere").is_err());
        let names = ["The Home Depot".to_owned(), "THD".to_owned()];
        assert_eq!(split_lines(&join_lines(&names)), names);
        assert!(split_lines("").is_empty());
    }
}
