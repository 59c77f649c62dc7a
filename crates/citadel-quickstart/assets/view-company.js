// The readable view of `admin`: a company's people, and what it paid them.
import { card, note, table } from "./dom.js";
import { count, date, days, income, money } from "./words.js";

const PEOPLE = ["Name", "Job title", "Department", "Started", "Works there", "Pay"];
const STATEMENTS = ["Pay day", "Name", "Period", "Hours", "Gross", "Net"];

export const company = {
  raw: (body) => body,
  report: (body) => body.directory,
  holds: ({ directory, payroll }) => `${people(directory)}, ${statements(payroll)}`,
  sentence: ({ directory }) =>
    directory.directory.length ? "Done. The data is below." : `The directory holds nobody: its status is ${directory.status}.`,
  canRefresh: true,
  nothing: {},
  render: ({ directory, payroll }) => [directoryCard(directory), payrollCard(payroll)],
};

const people = ({ directory }) => count(directory.length, "person", "people");
const statements = ({ payroll_report }) => count(payroll_report.length, "pay statement", "pay statements");

function directoryCard(report) {
  const rows = table("People", PEOPLE, report.directory, (person) => [
    person.full_name ?? [person.first_name, person.last_name].filter(Boolean).join(" "),
    person.job_title,
    person.department,
    date(person.start_date),
    person.is_active == null ? "" : person.is_active ? "Yes, now" : "No longer",
    income(person),
  ]);
  return card("Directory", people(report), rows || note("Nobody."));
}

function payrollCard(report) {
  const rows = table("Pay statements", STATEMENTS, report.payroll_report, (row) => [
    date(row.pay_date),
    row.full_name,
    days(row.period_start, row.period_end),
    row.hours,
    money(row.gross_pay),
    money(row.net_pay),
  ]);
  const subtitle = `${statements(report)}, ${days(report.start_date, report.end_date)}`;
  return card("Payroll", subtitle, rows || note("Nobody was paid in these days."));
}
