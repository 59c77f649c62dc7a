// The readable view of `employment` and `income`: one card for each job.
import { card, link, list, table } from "./dom.js";
import { address, count, date, days, income, JOB_TYPES, masked, money } from "./words.js";

const SHOWN_STATEMENTS = 6;
const FREQUENCIES = { M: "every month", SM: "twice a month", W: "every week", BW: "every two weeks", A: "every year", SA: "twice a year", C: "on commission" };
const ACCOUNTS = { C: "Checking", S: "Savings" };

export const jobs = {
  // As the first quickstart has it, the raw JSON is the list of jobs.
  raw: (body) => body.employments,
  report: (body) => body,
  holds: (body) => count(body.employments.length, "job", "jobs"),
  sentence: (body) =>
    body.employments.length ? "Done. The data is below." : `The report holds no job: its status is ${body.status}.`,
  canRefresh: true,
  nothing: [{ company: { address: {} } }],
  render: (body, product) => body.employments.map((job) => jobCard(job, product)),
};

function jobCard(job, product) {
  const person = job.profile ?? {};
  const name = person.full_name ?? [person.first_name, person.last_name].filter(Boolean).join(" ");
  const facts = [
    ["Works there", job.is_active == null ? null : job.is_active ? "Yes, now" : "No longer"],
    ["Job type", JOB_TYPES[job.job_type] ?? job.job_type],
    ["Started", date(job.start_date)],
    ["Ended", date(job.end_date)],
    ["Hired first", job.original_hire_date === job.start_date ? null : date(job.original_hire_date)],
    ["Manager", job.manager_name],
    ["Employer’s address", address(job.company?.address)],
    ["Home address", address(person.home_address)],
    ["E-mail", person.email],
    ["Social security", person.ssn ? `•••-••-${person.ssn.slice(-4)}` : null],
  ];
  const subtitle = [job.job_title, job.company?.name].filter(Boolean).join(" at ");
  return card(name || "A person", subtitle, list(facts), ...(product === "income" ? pay(job) : []));
}

function pay(job) {
  const facts = [
    ["Pay", income(job)],
    ["Each pay day", job.pay_rate && `${money(job.pay_rate)} ${FREQUENCIES[job.pay_frequency] ?? ""}`],
    ...(job.bank_accounts ?? []).map((account) => ["Paid into", accountLine(account)]),
  ];
  const statements = job.statements ?? [];
  const shown = statements.slice(0, SHOWN_STATEMENTS);
  const latest = statements.length > shown.length ? `, latest ${shown.length} of ${statements.length}` : "";
  return [
    list(facts),
    table(`Pay statements${latest}`, ["Pay day", "Period", "Gross", "Net", "Document"], shown, (statement) => [
      date(statement.pay_date),
      days(statement.period_start, statement.period_end),
      money(statement.gross_pay),
      money(statement.net_pay),
      link(statement.file, `Statement of ${date(statement.pay_date)}`),
    ]),
    table("By year", ["Year", "Gross", "Regular", "Overtime", "Bonus", "Net"], job.annual_income_summary ?? [], (year) => [
      String(year.year),
      money(year.gross_pay),
      money(year.regular),
      money(year.overtime),
      money(year.bonus),
      money(year.net_pay),
    ]),
    table("W-2", ["Year", "Wages", "Federal tax", "Document"], job.w2s ?? [], (w2) => [
      String(w2.year),
      money(w2.wages),
      money(w2.federal_tax),
      link(w2.file, `W-2 of ${w2.year}`),
    ]),
  ];
}

function accountLine(account) {
  const share = { P: `${account.deposit_value} %`, A: money(account.deposit_value), E: "everything" }[account.deposit_type];
  const kind = ACCOUNTS[account.account_type];
  return [account.bank_name, kind, masked(account.account_number), share && `(${share})`].filter(Boolean).join(" ");
}
