//! Pay statements and W-2s, and what every file has to be: tagged, archival, and the same every time.

use citadel_connectors::sandbox;
use citadel_documents::{SANDBOX_FOOTER, statement_pdf, w2_pdf};
use citadel_domain::payroll::Employment;
use jiff::civil::date;

use crate::{
    file::File,
    people::{everybody, read},
};

fn somebody() -> Employment {
    sandbox::anybody("file", Some("Harborline Markets"), date(2026, 11, 23)).employments.remove(0)
}

/// A PDF with tags, a title and a language, for people who do not see it (PDF/UA-1) and, where `is_archival`, for those who
/// come later (PDF/A-2a). The library holds it to both; here we see that it was asked to.
pub(crate) fn check(name: &str, bytes: &[u8], is_archival: bool) -> File {
    assert!(bytes.starts_with(b"%PDF-1.7") && bytes.trim_ascii_end().ends_with(b"%%EOF"), "{name}");
    assert!(bytes.len() < 400_000, "{name}: {} bytes", bytes.len());
    let file = File::read(bytes);
    for entry in
        ["/StructTreeRoot ", "/MarkInfo<</Marked true", "/Lang(en-US)", "/Outlines ", "/DisplayDocTitle true"]
    {
        assert!(file.catalog().contains(entry), "{name}: {entry} in {}", file.catalog());
    }
    let metadata = file.metadata();
    assert!(metadata.contains("<pdfuaid:part>1</pdfuaid:part>"), "{name}: {metadata}");
    let archival = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>";
    assert_eq!(metadata.contains(archival), is_archival, "{name}: {metadata}");
    assert!(metadata.contains("<dc:title>"), "{name}");
    assert_eq!(file.count("H1"), 1, "{name}");
    for page in &file.pages {
        assert!(page.marks.iter().any(|mark| !mark.is_artifact), "{name}: an empty page");
    }
    file
}

#[test]
fn files_are_small_and_of_one_page() {
    let job = somebody();
    for (name, bytes) in [
        ("statement", statement_pdf(&job, &job.statements[0], Some(SANDBOX_FOOTER)).unwrap()),
        ("W-2", w2_pdf(&job, &job.w2s[0], Some(SANDBOX_FOOTER)).unwrap()),
    ] {
        assert_eq!(check(name, &bytes, true).pages.len(), 1, "{name}");
        assert!(bytes.len() < 60_000, "{name}: {} bytes", bytes.len());
    }
}

#[tokio::test]
async fn everybody_has_statements_and_w2s() {
    for username in everybody() {
        for job in read(username).await.employments {
            for statement in job.statements.first().into_iter().chain(job.statements.last()) {
                let dates = [statement.pay_date, statement.period_start, statement.period_end];
                let is_dated = dates.into_iter().chain([job.external_last_updated]).any(|day| day.is_some());
                check(username, &statement_pdf(&job, statement, None).unwrap(), is_dated);
            }
            for w2 in job.w2s.iter().take(1) {
                check(username, &w2_pdf(&job, w2, None).unwrap(), true);
            }
        }
    }
}

#[test]
fn a_statement_is_headings_lists_and_tables() {
    let job = somebody();
    let statement = &job.statements[0];
    let file = File::read(&statement_pdf(&job, statement, Some(SANDBOX_FOOTER)).unwrap());
    let tables = 1 + usize::from(!statement.taxes.is_empty()) + usize::from(!statement.deductions.is_empty());
    assert_eq!((file.count("H2"), file.count("Table"), file.count("THead")), (tables, tables, tables));
    let lines = statement.earnings.len() + statement.taxes.len() + statement.deductions.len();
    // A row of names for each table, and a total.
    assert_eq!(file.count("TR"), lines + 2 * tables);
    assert!(file.count("TH") >= lines + 3 * tables && file.count("LBody") >= 5);
    let footer = file.pages[0].marks.iter().find(|mark| mark.shown == SANDBOX_FOOTER);
    assert!(footer.unwrap().is_artifact);
    assert!(file.text().contains("Earnings Statement\n"));
    assert!(file.with("/Type/StructElem/S/H2").contains(&"Earnings".to_owned()));
}

#[test]
fn a_statement_without_any_date_claims_no_archive() {
    let mut job = somebody();
    let mut statement = job.statements.remove(0);
    (statement.pay_date, statement.period_start, statement.period_end) = (None, None, None);
    check("dated by its record", &statement_pdf(&job, &statement, None).unwrap(), true);
    job.external_last_updated = None;
    check("not dated", &statement_pdf(&job, &statement, None).unwrap(), false);
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
    for footer in [Some(SANDBOX_FOOTER), None] {
        let file = File::read(&statement_pdf(&job, &job.statements[0], footer).unwrap());
        assert_eq!(file.everything().contains(SANDBOX_FOOTER), footer.is_some());
    }
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
