// The readable view of a report. Everything that comes from outside enters the page as text, never as markup.

const SHOWN_STATEMENTS = 6;
const JOB_TYPES = { F: "Full-time", P: "Part-time", S: "Seasonal", D: "Per diem" };
const UNITS = { YEARLY: "a year", MONTHLY: "a month", WEEKLY: "a week", DAILY: "a day", HOURLY: "an hour", BI_WEEKLY: "every two weeks" };
const FREQUENCIES = { M: "every month", SM: "twice a month", W: "every week", BW: "every two weeks", A: "every year", SA: "twice a year", C: "on commission" };
const ACCOUNTS = { C: "Checking", S: "Savings" };
const VIEWS = {
  SELECT_EMPLOYER: "Looking for an employer",
  PROVIDER_LIST: "Choosing a payroll provider",
  PROVIDER_LOGIN: "Signing in",
  PROVIDER_MFA: "Entering a code",
  LOADING: "Citadel reads the payroll account",
  SUCCESS: "The data is there: click Done",
  ERROR: "The widget shows what went wrong",
};

/** Enough of a token to recognise it. */
export const mask = (token) => (token ? `…${String(token).slice(-4)}` : "none");

/** A plain sentence for an event of the widget; nothing for those that say nothing new. */
export function describe(type, payload) {
  if (type === "SCREEN_VIEW") return VIEWS[payload?.view_name];
  if (type === "EMPLOYER_SELECTED") return `Chose ${payload?.employer?.name ?? "an employer"}`;
  if (type === "LOGIN_COMPLETE") return "Signed in";
  if (type === "ERROR") return payload?.error?.error_message;
  return undefined;
}

/** Shows a report: one card for each job. */
export function renderReadable(report, product) {
  const cards = report.employments.map((job) => card(job, product));
  const empty = element("p", { class: "empty" }, "No data.");
  document.querySelector("#view").replaceChildren(...(cards.length ? cards : [empty]));
}

function card(job, product) {
  const person = job.profile ?? {};
  const name = person.full_name ?? [person.first_name, person.last_name].filter(Boolean).join(" ");
  const title = element("h3", {}, name || "A person");
  const subtitle = element("p", { class: "subtitle" }, [job.job_title, job.company?.name].filter(Boolean).join(" at "));
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
  const parts = [title, subtitle, list(facts)];
  if (product === "income") parts.push(...income(job));
  return element("article", {}, ...parts);
}

function income(job) {
  const pay = [
    ["Pay", job.income && `${money(job.income)} ${UNITS[job.income_unit] ?? ""}`],
    ["Each pay day", job.pay_rate && `${money(job.pay_rate)} ${FREQUENCIES[job.pay_frequency] ?? ""}`],
    ...(job.bank_accounts ?? []).map((account) => ["Paid into", accountLine(account)]),
  ];
  const statements = job.statements ?? [];
  const shown = statements.slice(0, SHOWN_STATEMENTS);
  const count = statements.length > shown.length ? `, latest ${shown.length} of ${statements.length}` : "";
  return [
    list(pay),
    table(`Pay statements${count}`, ["Pay day", "Period", "Gross", "Net", "Document"], shown, (statement) => [
      date(statement.pay_date),
      [date(statement.period_start), date(statement.period_end)].filter(Boolean).join(" – "),
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

function list(facts) {
  const rows = facts.filter(([, value]) => value);
  if (!rows.length) return "";
  return element("dl", {}, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function table(caption, headings, items, cells) {
  if (!items.length) return "";
  const head = element("tr", {}, ...headings.map((heading) => element("th", { scope: "col" }, heading)));
  const rows = items.map((item) => element("tr", {}, ...cells(item).map((cell) => element("td", {}, cell || "–"))));
  const whole = element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, whole);
}

// Amounts and dates arrive as text and must not pass through a binary number or a time zone.
function money(text) {
  if (!/^-?\d+(\.\d+)?$/.test(text ?? "")) return text ?? "";
  const [whole, cents = "00"] = text.replace("-", "").split(".");
  return `${text.startsWith("-") ? "−" : ""}$${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents}`;
}

function date(text) {
  const day = new Date(`${text}T00:00:00Z`);
  if (!text || Number.isNaN(day.valueOf())) return text ?? "";
  return day.toLocaleDateString("en-US", { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
}

function address(parts) {
  if (!parts) return "";
  const town = [parts.state, parts.zip].filter(Boolean).join(" ");
  return [parts.street, parts.city, town].filter(Boolean).join(", ");
}

function accountLine(account) {
  const share = { P: `${account.deposit_value} %`, A: money(account.deposit_value), E: "everything" }[account.deposit_type];
  const number = account.account_number ? `••${account.account_number.slice(-4)}` : "";
  return [account.bank_name, ACCOUNTS[account.account_type], number, share && `(${share})`].filter(Boolean).join(" ");
}

// A link is followed by a click, so only addresses of documents may become one.
function link(url, label) {
  if (!/^https?:\/\//i.test(url ?? "")) return "";
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer", "aria-label": label }, "PDF");
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
