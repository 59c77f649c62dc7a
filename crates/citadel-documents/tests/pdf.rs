//! The files themselves: well-formed at both ends, small, and the same every time.

use citadel_connectors::sandbox;
use citadel_documents::{SANDBOX_FOOTER, statement_pdf, w2_pdf};
use citadel_domain::payroll::Employment;
use jiff::civil::date;

fn somebody() -> Employment {
    sandbox::anybody("file", Some("Harborline Markets"), date(2026, 11, 23)).employments.remove(0)
}

fn check(name: &str, file: &[u8], pages: usize) {
    assert!(file.starts_with(b"%PDF-1."), "{name}");
    assert!(file.trim_ascii_end().ends_with(b"%%EOF"), "{name}");
    let marker = format!("/Count {pages}");
    assert!(file.windows(marker.len()).any(|part| part == marker.as_bytes()), "{name}: {marker}");
    assert!(file.len() < 60_000, "{name}: {} bytes", file.len());
}

#[test]
fn files_are_pdfs_of_one_small_page() {
    let job = somebody();
    check("statement", &statement_pdf(&job, &job.statements[0], Some(SANDBOX_FOOTER)).unwrap(), 1);
    check("W-2", &w2_pdf(&job, &job.w2s[0], Some(SANDBOX_FOOTER)).unwrap(), 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (job, again) = (somebody(), somebody());
    let statement = |job: &Employment| statement_pdf(job, &job.statements[0], None).unwrap();
    assert!(statement(&job) == statement(&again));
    assert!(w2_pdf(&job, &job.w2s[0], None).unwrap() == w2_pdf(&again, &again.w2s[0], None).unwrap());
    assert!(statement(&job) != statement_pdf(&job, &job.statements[1], None).unwrap());
}

#[test]
fn the_footer_is_there_only_when_asked_for() {
    let job = somebody();
    let with = statement_pdf(&job, &job.statements[0], Some(SANDBOX_FOOTER)).unwrap();
    let without = statement_pdf(&job, &job.statements[0], None).unwrap();
    assert!(with.len() > without.len());
}

#[test]
fn a_file_names_nobody_outside_its_page() {
    let job = somebody();
    let file = statement_pdf(&job, &job.statements[0], None).unwrap();
    let ssn = job.person.ssn.as_ref().unwrap().expose();
    for text in [ssn, &job.person.last_name] {
        assert!(
            !file.windows(text.len()).any(|part| part == text.as_bytes()),
            "in the clear, outside the page"
        );
    }
}
