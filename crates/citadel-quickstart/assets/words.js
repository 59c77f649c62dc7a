// Values of a report in words. Amounts and dates arrive as text and must not pass through a binary number or a time zone.

export const JOB_TYPES = { F: "Full-time", P: "Part-time", S: "Seasonal", D: "Per diem" };
const UNITS = { YEARLY: "a year", MONTHLY: "a month", WEEKLY: "a week", DAILY: "a day", HOURLY: "an hour", BI_WEEKLY: "every two weeks" };
const STATUSES = {
  done: "Done",
  login_error: "The sign-in was refused",
  mfa_error: "The code was refused",
  config_error: "The provider refused the change",
  account_locked: "The payroll account is locked",
  no_data: "There was no data",
  unavailable: "The provider is out of reach",
  error: "It failed",
};

/** Enough of a token to recognise it. */
export const mask = (token) => (token ? `…${String(token).slice(-4)}` : "none");

/** Enough of an account number to recognise it. */
export const masked = (number) => (number ? `••${number.slice(-4)}` : "");

/** The status of a task; a word that is not final, or not known, means that it still runs. */
export const statusWords = (status) => STATUSES[status] ?? `Still running (${status})`;

export function money(text) {
  if (!/^-?\d+(\.\d+)?$/.test(text ?? "")) return text ?? "";
  const [whole, cents = ""] = text.replace("-", "").split(".");
  return `${text.startsWith("-") ? "−" : ""}$${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents.padEnd(2, "0")}`;
}

export const income = ({ income, income_unit }) => income && `${money(income)} ${UNITS[income_unit] ?? ""}`;

export function date(text) {
  const day = new Date(`${text}T00:00:00Z`);
  if (!text || Number.isNaN(day.valueOf())) return text ?? "";
  return day.toLocaleDateString("en-US", { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
}

export const days = (first, last) => [date(first), date(last)].filter(Boolean).join(" – ");

export function address(parts) {
  if (!parts) return "";
  const town = [parts.state, parts.zip].filter(Boolean).join(" ");
  return [parts.street, parts.city, town].filter(Boolean).join(", ");
}

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
