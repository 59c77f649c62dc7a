//! A company's people and payroll, from the normalised model to the wire shapes of schemas 3.8 and 3.9.

use citadel_api_types::{
    Redacted,
    administrators::{Employee, PayrollRow as PayrollRowView},
    statements::Statement as StatementView,
};
use citadel_domain::payroll::{CompanyData, DirectoryEntry, PayrollRow};

use super::{
    ObjectIds,
    employments::{address, date, full_name, given, income_unit, job_type, pay_frequency, statement_of},
};

/// Everybody in the directory.
pub(super) fn directory(ids: &ObjectIds<'_>, company: &CompanyData) -> Vec<Employee> {
    company.people.iter().map(|entry| employee(ids, entry)).collect()
}

fn employee(ids: &ObjectIds<'_>, entry: &DirectoryEntry) -> Employee {
    let person = &entry.person;
    Employee {
        id: employee_id(ids, &entry.external_id),
        first_name: given(&person.first_name),
        last_name: given(&person.last_name),
        middle_initials: person.middle_initials.clone(),
        full_name: full_name(person),
        email: person.email.clone(),
        phone: entry.phone.clone(),
        ssn: person.ssn.as_ref().map(|ssn| Redacted::from(ssn.expose())),
        date_of_birth: person.date_of_birth.map(date),
        home_address: person.home_address.as_ref().map(address),
        job_title: entry.title.clone(),
        job_type: entry.job_type.map(|kind| job_type(kind).to_owned()),
        department: entry.department.clone(),
        manager_name: entry.manager_name.clone(),
        is_active: entry.is_active,
        start_date: entry.start_date.map(date),
        end_date: entry.end_date.map(date),
        income: entry.pay.and_then(|pay| pay.rate).map(|rate| rate.to_string()),
        income_unit: entry.pay.and_then(|pay| pay.unit).map(|unit| income_unit(unit).to_owned()),
        pay_frequency: entry.pay.and_then(|pay| pay.frequency).map(|each| pay_frequency(each).to_owned()),
    }
}

/// The rows of a payroll register. They have no documents.
pub(crate) fn payroll_rows(ids: &ObjectIds<'_>, rows: &[PayrollRow]) -> Vec<PayrollRowView> {
    let view = |row: &PayrollRow| {
        let id = ids.id(&["statement", &row.employee_id, &row.statement.external_id]);
        PayrollRowView {
            employee_id: employee_id(ids, &row.employee_id),
            full_name: row.full_name.clone(),
            statement: StatementView { file: None, ..statement_of(id, &row.statement) },
        }
    };
    rows.iter().map(view).collect()
}

fn employee_id(ids: &ObjectIds<'_>, external_id: &str) -> String {
    ids.id(&["employee", external_id]).to_string()
}
