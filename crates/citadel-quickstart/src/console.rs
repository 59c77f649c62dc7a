//! What the terminal shows.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a terminal")]

/// Shows a text on the standard output.
pub fn print(text: &str) {
    println!("{text}");
}

/// Lists what keeps the program from starting.
pub fn complain(problems: &[String]) {
    eprintln!("The quickstart cannot start:");
    for problem in problems {
        eprintln!(" - {problem}");
    }
}

/// One line about a request. Pass tokens through [`mask`](crate::mask) first.
pub(crate) fn log(line: &str) {
    eprintln!("CITADEL: {line}");
}
