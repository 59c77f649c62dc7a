// Where pay lands: a deposit switch, and a loan that is paid back from each paycheck.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ALL_DONE, chooseEmployerAndConfirm, historyWith, stepsOf } from "./company.mjs";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { button, connect, finish, signIn } from "./widget.mjs";

before(openBrowser);
after(closeBrowser);

// What the quickstart asks for, and how the page says it.
const SHARES = { deposit_switch: ["entire", "All pay"], pll: ["amount", "$1.00 of each paycheck"] };

for (const [product, [type, words]] of Object.entries(SHARES)) {
  describe(product, () => {
    let place, stack;
    before(async () => {
      place = await prepare(product);
      stack = await start(place);
    });
    after(async () => {
      await stack?.stop();
      await discard(place);
    });

    test("ends with the accounts before and after on the page", async () => {
      const visit = await newVisit();
      const { page } = visit;
      const frame = await connect(visit, stack.url);
      await chooseEmployerAndConfirm(visit, frame);
      await signIn(frame, "goodlogin", "goodpassword");
      await finish(visit, frame);

      const report = await historyWith(page, "deposit_details");
      assert.equal(report.status, "done");
      assert.equal(report.deposit_details.account_number, "16002600");
      assert.equal(report.deposit_details.deposit_type ?? "entire", type);
      assert.deepEqual(await stepsOf(page), ALL_DONE);
      await visit.picture(`${product}-data`, { fullPage: true });

      const table = page.getByRole("table", { name: "Where pay lands" });
      const now = table.getByRole("row").filter({ hasText: "Now" });
      await now.filter({ hasText: "TD Bank ••2600" }).filter({ hasText: words }).waitFor();
      const before = table.getByRole("row").filter({ hasText: "Before" });
      assert.equal(await before.count(), report.initial_accounts.length);
      assert.equal(await button(page, "Refresh").isVisible(), false, "a switch is not made twice");
      await visit.end();
    });
  });
}
