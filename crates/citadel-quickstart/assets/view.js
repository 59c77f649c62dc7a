// What the page shows of an answer. Each product has a view of its own, and all views have the same parts: `report`
// is the part of the answer that tells status and access token, `raw` is the JSON to show, `holds` and `sentence` say
// in words what came, `nothing` stands in `#history` when nothing came, and `render` makes the cards. Where data changes,
// `canRefresh` brings the button.
import { note } from "./dom.js";
import { company } from "./view-company.js";
import { deposit } from "./view-deposit.js";
import { funding } from "./view-funding.js";
import { jobs } from "./view-jobs.js";

const VIEWS = { employment: jobs, income: jobs, admin: company, deposit_switch: deposit, pll: deposit, fas: funding };
const SCREENS = {
  SELECT_EMPLOYER: "Looking for an employer",
  PROVIDER_LIST: "Choosing a payroll provider",
  DEPOSIT_CONFIRM: "Confirming the account",
  PROVIDER_LOGIN: "Signing in",
  PROVIDER_MFA: "Entering a code",
  LOADING: "Citadel works in the payroll account",
  SUCCESS: "All is there: click Done",
  ERROR: "The widget shows what went wrong",
};

export const viewOf = (product) => VIEWS[product];

/** Shows the cards of an answer; without one, that there is nothing. */
export function renderReadable(cards) {
  document.querySelector("#view").replaceChildren(...(cards.length ? cards : [note("No data.")]));
}

/** A plain sentence for an event of the widget; nothing for those that say nothing new. */
export function describe(type, payload) {
  if (type === "SCREEN_VIEW") return SCREENS[payload?.view_name];
  if (type === "EMPLOYER_SELECTED") return `Chose ${payload?.employer?.name ?? "an employer"}`;
  if (type === "LOGIN_COMPLETE") return "Signed in";
  if (type === "ERROR") return payload?.error?.error_message;
  return undefined;
}
