// What axe-core says of a page and the frames in it.
import { readFileSync } from "node:fs";
import { root } from "./stack.mjs";

const AXE = readFileSync(new URL("tests/node_modules/axe-core/axe.min.js", `file://${root}`), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Each complaint as a line. axe is put there by the debugger, past the page's policy. */
export async function complaints(page) {
  const found = [];
  for (const frame of page.frames()) {
    await frame.evaluate(AXE);
    const lines = await frame.evaluate(async (rules) => {
      const { violations } = await window.axe.run({ runOnly: rules, iframes: false });
      return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`);
    }, RULES);
    found.push(...lines);
  }
  return found;
}
