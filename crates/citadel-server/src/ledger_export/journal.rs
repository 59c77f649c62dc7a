//! Entries as Beancount and hledger read them.

use std::{collections::BTreeMap, fmt::Write};

use jiff::{ToSpan, civil::Date};

use super::books::{Entry, FIRST_YEAR, Kind, UNBALANCED};

const HEAD: &str = "\
; Every job has accounts of its own for every year, so that a year-to-date figure is the balance of an account.
; Net pay is divided between deposit accounts as it is divided today.
; What does not add up is in Equity:Unbalanced, with a comment that begins with \"Unbalanced\".
";

/// How a file for Beancount begins.
pub(super) fn beancount_head(title: &str) -> String {
    let title = quoted(title);
    let options = format!("option \"title\" {title}\noption \"operating_currency\" \"USD\"\n");
    format!("{HEAD}\n{options}\n{FIRST_YEAR}-01-01 open {UNBALANCED} USD\n")
}

/// Entries for Beancount, and before them the accounts that they use.
pub(super) fn beancount(entries: &[Entry]) -> String {
    let mut text = String::new();
    for (account, first) in accounts(entries) {
        let _ = writeln!(text, "{first} open {account} USD");
    }
    for entry in entries {
        text.push('\n');
        match &entry.kind {
            Kind::Moves(postings) => {
                let (payee, title) = (quoted(&entry.payee), quoted(&entry.title));
                let _ = writeln!(text, "{} * {payee} {title}", entry.day);
                for (key, value) in &entry.facts {
                    let _ = writeln!(text, "  {key}: {}", quoted(value));
                }
                remarks(&mut text, "  ; ", entry);
                for (account, amount) in postings {
                    let _ = writeln!(text, "  {account}  {amount} USD");
                }
            }
            Kind::Holds(claims) => {
                note(&mut text, entry);
                // A balance is that of the morning.
                let morning = entry.day.saturating_add(1.day());
                for (account, amount) in claims {
                    // Without the tolerance a cent would be forgiven.
                    let _ = writeln!(text, "{morning} balance {account}  {amount} ~ 0.00 USD");
                }
            }
            Kind::Note => {
                note(&mut text, entry);
                facts(&mut text, "; ", entry);
            }
        }
    }
    text
}

/// How a file for hledger begins.
pub(super) fn hledger_head(title: &str) -> String {
    format!("; {}\n{HEAD}\ncommodity 1000.00 USD\n\naccount {UNBALANCED}\n", line(title))
}

/// Entries for hledger, and before them the accounts that they use.
pub(super) fn hledger(entries: &[Entry]) -> String {
    let mut text = String::new();
    for account in accounts(entries).into_keys() {
        let _ = writeln!(text, "account {account}");
    }
    for entry in entries {
        text.push('\n');
        // A semicolon would begin a comment, and a bar the note.
        let word = |text: &str| line(text).replace([';', '|'], ",");
        let opening = format!("{} * {} | {}", entry.day, word(&entry.payee), word(&entry.title));
        match &entry.kind {
            Kind::Moves(postings) => {
                let _ = writeln!(text, "{opening}");
                facts(&mut text, "    ; ", entry);
                remarks(&mut text, "    ; ", entry);
                for (account, amount) in postings {
                    let _ = writeln!(text, "    {account}  {amount} USD");
                }
            }
            Kind::Holds(claims) => {
                let _ = writeln!(text, "{opening}");
                remarks(&mut text, "    ; ", entry);
                for (account, amount) in claims {
                    let _ = writeln!(text, "    {account}  0.00 USD =* {amount} USD");
                }
            }
            Kind::Note => {
                note(&mut text, entry);
                facts(&mut text, "; ", entry);
            }
        }
    }
    text
}

/// Every account but the one for differences, which has no year, with the first day on which it is used.
fn accounts(entries: &[Entry]) -> BTreeMap<&str, Date> {
    let mut found = BTreeMap::new();
    for entry in entries {
        let (Kind::Moves(rows) | Kind::Holds(rows)) = &entry.kind else { continue };
        for (account, _) in rows.iter().filter(|(account, _)| account != UNBALANCED) {
            found.entry(account.as_str()).or_insert(entry.day);
        }
    }
    found
}

/// An entry's opening as a comment.
fn note(text: &mut String, entry: &Entry) {
    let _ = writeln!(text, "; {} {}: {}", entry.day, line(&entry.payee), line(&entry.title));
    remarks(text, "; ", entry);
}

fn remarks(text: &mut String, before: &str, entry: &Entry) {
    for remark in &entry.remarks {
        let _ = writeln!(text, "{before}{}", line(remark));
    }
}

fn facts(text: &mut String, before: &str, entry: &Entry) {
    for (key, value) in &entry.facts {
        // A comma would end the value.
        let _ = writeln!(text, "{before}{key}: {}", line(value).replace(',', ";"));
    }
}

/// A Beancount string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", line(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Without anything that would end the line.
fn line(text: &str) -> String {
    let plain = |letter: char| {
        if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') { ' ' } else { letter }
    };
    text.chars().map(plain).collect()
}
