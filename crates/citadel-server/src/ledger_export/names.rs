//! Account names: legal for Beancount, which is the stricter of the two, whatever a label holds.

use std::collections::{HashMap, HashSet};

/// The names given so far. No two things meet in one name under the same parent.
#[derive(Default)]
pub(super) struct Names {
    given: HashMap<(String, String), String>,
    taken: HashSet<(String, String)>,
    /// The next number for a name that was wanted again.
    next: HashMap<(String, String), usize>,
}

impl Names {
    /// The account below `parent` for what `key` tells apart. The first label of a name has it plain; others that would come to
    /// the same get a number.
    pub(super) fn account(&mut self, parent: &str, key: &str, label: &str) -> String {
        let place = (parent.to_owned(), key.to_owned());
        if let Some(name) = self.given.get(&place) {
            return format!("{parent}:{name}");
        }
        let plain = (parent.to_owned(), legal(label));
        let mut name = plain.1.clone();
        while !self.taken.insert((parent.to_owned(), name.clone())) {
            let number = self.next.entry(plain.clone()).or_insert(1);
            *number += 1;
            name = format!("{}-{number}", plain.1);
        }
        self.given.insert(place, name.clone());
        format!("{parent}:{name}")
    }
}

/// One part of an account's name: letters, digits and hyphens, the first a capital or a digit.
fn legal(label: &str) -> String {
    let mut name = String::with_capacity(label.len());
    for letter in label.chars() {
        match letter {
            _ if letter.is_ascii_alphanumeric() || is_latin(letter) => name.push(letter),
            '&' => join(&mut name, "and"),
            // `401(k)` is `401k`, and `Int'l` is `Intl`.
            '(' | ')' | '\'' | '’' | '.' | ',' => {}
            _ if letter.is_alphanumeric() => join(&mut name, &format!("u{:x}", u32::from(letter))),
            _ => join(&mut name, ""),
        }
    }
    let name = name.trim_matches('-');
    match name.chars().next() {
        None => "Unnamed".to_owned(),
        Some(first) if first.is_ascii_alphabetic() => {
            format!("{}{}", first.to_ascii_uppercase(), &name[1..])
        }
        Some(first) if first.is_ascii_digit() || first.is_uppercase() => name.to_owned(),
        Some(_) => format!("X{name}"),
    }
}

/// Letters that both programs take for letters.
fn is_latin(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{17f}')
}

/// Appends a word with hyphens around it, and no two in a row.
fn join(name: &mut String, word: &str) {
    if !name.ends_with('-') {
        name.push('-');
    }
    if !word.is_empty() {
        name.push_str(word);
        name.push('-');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_becomes_a_legal_name() {
        let check = |label, expected| assert_eq!(legal(label), expected, "{label:?}");
        check("Regular", "Regular");
        check("401(k)", "401k");
        check("Health & Dental", "Health-and-Dental");
        check("AT&T", "AT-and-T");
        check("tips", "Tips");
        check("État civil", "État-civil");
        check("œuvre", "Xœuvre");
        check("賞与", "U8cde-u4e0e");
        check("🎁 Gift", "Gift");
        check("a:b\"c;d\n", "A-b-c-d");
        check("--", "Unnamed");
        check("", "Unnamed");
    }

    #[test]
    fn no_two_labels_meet_in_one_name() {
        let mut names = Names::default();
        let labels =
            ["401(k)", "401k", "401-k", "401k 2", "401k-2", "", "🎁", "regular", "Regular", "賞", "u8cde"];
        let mut found = HashSet::new();
        for label in labels {
            let name = names.account("Income", label, label);
            assert_eq!(names.account("Income", label, label), name, "the same again");
            assert!(found.insert(name.clone()), "{label:?} meets another in {name}");
        }
        assert_eq!(
            names.account("Expenses", "401k", "401k"),
            "Expenses:401k",
            "another parent is another place"
        );
    }
}
