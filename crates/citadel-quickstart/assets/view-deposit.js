// The readable view of `deposit_switch` and `pll`: where pay landed before, and where it lands now.
import { card, list, note, table } from "./dom.js";
import { date, masked, money, statusWords } from "./words.js";

const ACCOUNT = ["When", "Account", "Share", "Type", "Routing number"];
const TYPES = { checking: "Checking", savings: "Savings" };

export const deposit = {
  raw: (body) => body,
  report: (body) => body,
  holds: (body) => (body.deposit_details ? "the account" : "no account yet"),
  sentence: (body) => (body.status === "done" ? "Done. The change is below." : statusWords(body.status)),
  nothing: {},
  render: (body, product) => [switchCard(body, product)],
};

function switchCard(report, product) {
  const where = [report.employer?.name, report.provider && `payroll by ${report.provider.name}`];
  const account = report.deposit_details;
  const isDone = report.status === "done";
  const before = (report.initial_accounts ?? []).map((each) => ["Before", each]);
  const after = account ? [[isDone ? "Now" : "Asked for", account]] : [];
  const parts = [
    list([
      ["Status", statusWords(report.status)],
      ["Changed", isDone && date(report.finished_at?.slice(0, 10))],
    ]),
    table("Where pay lands", ACCOUNT, [...before, ...after], accountCells) || note("No account was confirmed."),
  ];
  const isPart = ["percent", "amount"].includes(account?.deposit_type);
  if (isDone && isPart) parts.push(note("The rest of the pay lands where it did before."));
  return card(product === "pll" ? "Loan payment" : "Direct deposit", where.filter(Boolean).join(", "), ...parts);
}

const accountCells = ([when, account]) => [
  when,
  [account.bank_name, masked(account.account_number)].filter(Boolean).join(" "),
  share(account),
  TYPES[account.account_type] ?? account.account_type,
  account.routing_number,
];

function share({ deposit_type, deposit_value }) {
  if (deposit_type === "percent") return `${deposit_value} %`;
  if (deposit_type === "amount") return `${money(deposit_value)} of each paycheck`;
  return "All pay";
}
