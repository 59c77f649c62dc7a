// The readable view of `fas`: the account from which a company pays its people.
import { card, list, note } from "./dom.js";
import { date, masked, statusWords } from "./words.js";

const TYPES = { checking: "Checking", savings: "Savings" };

export const funding = {
  raw: (body) => body,
  // The first answer is the report itself; the second holds it, beside how checking the amounts ended.
  report: (body) => body.account_switch ?? body,
  holds: (body) => (funding.report(body).account_details ? "the account" : "no account yet"),
  sentence: (body) => (body.task_id ? afterAmounts(body.status) : beforeAmounts(body)),
  nothing: {},
  render: (body) => [fundingCard(funding.report(body))],
};

function beforeAmounts(report) {
  if (report.micro_deposits_required) return "The account is entered. Say below which two amounts arrived on it.";
  return report.status === "done" ? "Done. The change is below." : statusWords(report.status);
}

function afterAmounts(status) {
  if (status === "done") return "Done. The amounts are right, and the company pays its people from this account.";
  if (status === "config_error") return "These are not the amounts that arrived. Look again, and submit the right ones.";
  return `The amounts could not be checked. ${statusWords(status)}.`;
}

function fundingCard(report) {
  const account = report.account_details;
  const facts = [
    ["Status", statusWords(report.status)],
    ["Micro-deposits", report.micro_deposits_required ? "Awaited" : "Confirmed"],
    ["Changed", report.micro_deposits_required ? "" : date(report.finished_at?.slice(0, 10))],
    ["Bank", account?.bank_name],
    ["Account", masked(account?.account_number)],
    ["Type", TYPES[account?.account_type] ?? account?.account_type],
    ["Routing number", account?.routing_number],
  ];
  const parts = account ? [] : [note("No account was confirmed.")];
  return card("Funding account", "From which the company pays its people", list(facts), ...parts);
}
