//! What an administrator sees of the company: its directory, and its payroll register.

use citadel_domain::payroll::{CompanyData, DirectoryEntry, PayrollRow};
use jiff::{ToSpan, civil::Date};

use super::{
    company::{Company, Member},
    ledger,
};

/// Everybody who has started by a day, by name.
pub(super) fn directory(company: &Company, today: Date) -> CompanyData {
    let mut members: Vec<&Member> =
        company.members().iter().filter(|member| member.job.start <= today).collect();
    members.sort_by_key(|member| (&member.person.last_name, &member.person.first_name));
    let people = members.into_iter().map(|member| entry(company, member, today)).collect();
    CompanyData { employer: company.employer(), people }
}

fn entry(company: &Company, member: &Member, today: Date) -> DirectoryEntry {
    let job = &member.job;
    // An end that is still to come is nobody's business yet.
    let ended = job.end.filter(|end| *end < today);
    let as_of = ended.unwrap_or(today);
    DirectoryEntry {
        external_id: job.dice.id(),
        person: member.person.clone(),
        phone: Some(member.phone.clone()),
        title: Some(job.title.to_owned()),
        job_type: Some(job.job_type),
        department: Some(member.department.to_owned()),
        manager_name: company.manager_of(member, as_of).map(Member::full_name),
        is_active: Some(ended.is_none()),
        start_date: Some(job.start),
        end_date: ended,
        pay: Some(job.pay_on(as_of)),
    }
}

/// Every statement with a pay day in a range, up to the present day, by pay day and name.
///
/// A ledger begins with the range's own year: a cheque depends only on those of its year, so any range shows the same
/// cheques as any other.
pub(super) fn payroll(company: &Company, from: Date, to: Date, today: Date) -> Vec<PayrollRow> {
    let to = to.min(today);
    if to < from {
        return Vec::new();
    }
    let mut rows: Vec<PayrollRow> = company
        .members()
        .iter()
        .filter(|member| is_paid(member, from, to))
        .flat_map(|member| rows(member, from, to))
        .collect();
    rows.sort_by(|a, b| (a.statement.pay_date, &a.full_name).cmp(&(b.statement.pay_date, &b.full_name)));
    rows
}

/// The last cheque comes within three weeks of the last day.
fn is_paid(member: &Member, from: Date, to: Date) -> bool {
    let last_cheque = member.job.end.map(|end| end.saturating_add(3.weeks()));
    member.job.start <= to && last_cheque.is_none_or(|last| last >= from)
}

fn rows(member: &Member, from: Date, to: Date) -> impl Iterator<Item = PayrollRow> {
    let (employee_id, full_name) = (member.job.dice.id(), member.full_name());
    let statements = ledger::write(&member.job, from.year(), to).statements;
    statements.into_iter().filter(move |statement| statement.pay_date >= Some(from)).map(move |statement| {
        PayrollRow { employee_id: employee_id.clone(), full_name: full_name.clone(), statement }
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::sandbox::dice::{DEFAULT_SEED, World};

    #[test]
    fn the_register_holds_everybodys_cheques() {
        let (from, to) = (date(2021, 3, 9), date(2022, 2, 20));
        let company = Company::new(World::new(DEFAULT_SEED));
        let rows = payroll(&company, from, to, date(2026, 11, 23));
        let mut found = 0;
        for member in company.members() {
            let mut cheques = ledger::write(&member.job, member.job.start.year(), to).statements;
            cheques.retain(|cheque| cheque.pay_date >= Some(from));
            let id = member.job.dice.id();
            let of_them: Vec<_> =
                rows.iter().filter(|row| row.employee_id == id).map(|row| row.statement.clone()).collect();
            assert_eq!(of_them, cheques, "{}", member.full_name());
            found += cheques.len();
        }
        assert!(found == rows.len() && found > 1_000, "{found}");
    }
}
