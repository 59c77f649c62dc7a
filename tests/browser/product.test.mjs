// The whole way of one person, for each product: from Connect to the data on the page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { chooseEmployer, connect, finish, history, signIn } from "./widget.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";

// Views that depend on the employer or on how fast the task is; the rest is fixed by the contract.
const OPTIONAL = ["SCREEN_VIEW(PROVIDER_LIST)", "SCREEN_VIEW(LOADING)"];
const STORY = [
  "onLoad",
  "LOAD",
  "OPEN",
  "SCREEN_VIEW(SELECT_EMPLOYER)",
  "EMPLOYER_SELECTED",
  "SCREEN_VIEW(PROVIDER_LOGIN)",
  "LINK_CREATED",
  "LOGIN_COMPLETE",
  "SUCCESS",
  "SCREEN_VIEW(SUCCESS)",
  "onSuccess",
  "CLOSE",
];

before(openBrowser);
after(closeBrowser);

for (const product of ["employment", "income"]) {
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

    test("ends with the person's data on the page", async () => {
      const visit = await newVisit();
      const frame = await connect(visit, stack.url);
      await visit.picture(`${product}-1-search`);
      await chooseEmployer(visit, frame);
      await visit.picture(`${product}-2-sign-in`);
      await signIn(frame, "goodlogin", "goodpassword");
      await frame.getByRole("button", { name: "Done" }).waitFor();
      await visit.picture(`${product}-3-success`);
      await finish(visit, frame);

      checkReport(product, await history(visit.page));
      await visit.picture(`${product}-4-data`, { fullPage: true });
      const steps = await visit.page.locator("#steps > li").evaluateAll((items) => items.map((item) => item.dataset.state));
      assert.deepEqual(steps, Array(11).fill("done"), "the page tells all eleven steps");

      const story = (await visit.story()).filter((entry) => !OPTIONAL.includes(entry));
      assert.deepEqual(story, STORY);
      await checkTokens(visit, place, stack, product);
      await visit.end();
    });

    test("can be done again without loading the page anew", async () => {
      const visit = await newVisit({ colorScheme: "dark", viewport: { width: 390, height: 780 } });
      await chooseEmployer(visit, await connect(visit, stack.url));
      const frame = visit.page.frameLocator("iframe");
      await signIn(frame, "goodlogin", "goodpassword");
      await finish(visit, frame);
      checkReport(product, await history(visit.page));

      // The same person signs in again, so the data may be the same: only an emptied element shows the second answer.
      await visit.page.evaluate(() => {
        window.__calls.splice(0);
        document.querySelector("#history").textContent = "";
      });
      await visit.page.getByRole("button", { name: "Connect", exact: true }).click();
      await chooseEmployer(visit, frame);
      await visit.picture(`${product}-5-again`);
      await signIn(frame, "goodlogin", "goodpassword");
      await finish(visit, frame);
      checkReport(product, await history(visit.page));
      await visit.end();
    });
  });
}

function checkReport(product, employments) {
  const [employment, ...others] = employments;
  assert.ok(employment, "the report holds an employment as soon as the page asks for it");
  assert.ok([employment, ...others].every((each) => each.company.name && each.profile.last_name && each.start_date));
  if (product === "employment") return;
  const { statements, w2s } = employment;
  assert.ok(statements.length > 0 && w2s.length > 0, "pay statements and W-2 forms");
  assert.match(statements[0].gross_pay, /^\d+\.\d\d$/);
}

/** One token string everywhere, of the contract's form, and spent by the page's own exchange. */
async function checkTokens(visit, place, stack, product) {
  const calls = await visit.calls();
  const success = calls.find((call) => call.type === "SUCCESS").payload;
  const [publicToken, metadata] = calls.find((call) => call.name === "onSuccess").args;
  assert.match(publicToken, /^[0-9a-f]{32}$/);
  assert.equal(success.public_token, publicToken);
  assert.equal(success.product_type, product);
  assert.equal(metadata.task_id, success.task_id);
  assert.ok(metadata.employer.name);
  assert.equal(calls.find((call) => call.type === "LOAD").payload, undefined);

  const env = await readFile(place.envFile, "utf8");
  const setting = (name) => new RegExp(`^${name}=['"]?([^'"\\n]*)`, "m").exec(env)[1];
  const again = await fetch(`${stack.api}/v1/link-access-tokens/`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Access-Client-Id": setting("API_CLIENT_ID"),
      "X-Access-Secret": setting("API_SECRET"),
    },
    body: JSON.stringify({ public_token: publicToken }),
  });
  assert.equal(again.status, 410, await again.text());
}
