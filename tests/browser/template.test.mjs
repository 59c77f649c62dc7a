// A client's own look: texts, colours and a picture of a template, in the real widget. Whatever colours were chosen, what is
// written can be read.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { discard, prepare, start } from "./stack.mjs";
import { closeBrowser, newVisit, openBrowser } from "./visit.mjs";
import { button, search, signIn, username, WORK_MS } from "./widget.mjs";

before(openBrowser);
after(closeBrowser);

const LOGO =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAJElEQVR42mP4f4YBjvhjwuAIlzjDINRAjCJk8cGoYTQeBoUGAKxNRhA2OlZnAAAAAElFTkSuQmCC";
const TEXTS = { search_header: "Where do you work?", success_cta: "Back to Harbor" };
const BRANDS = {
  night: { company_name: "Harbor Bank", background_color: "#123A6B", accent_color: "#fc0" },
  // On these two the widget's own texts could not be read.
  grey: { company_name: "Harbor Bank", background_color: "#808080", accent_color: "#8a8a8a" },
  pale: { company_name: "Harbor Bank", accent_color: "#f7f7f7" },
};

describe("a template", () => {
  let place, stack;
  before(async () => {
    place = await prepare("employment");
    stack = await start(place);
  });
  after(async () => {
    await stack?.stop();
    await discard(place);
  });

  async function call(path, body) {
    const env = await readFile(place.envFile, "utf8");
    const setting = (name) => new RegExp(`^${name}=['"]?([^'"\\n]*)`, "m").exec(env)[1];
    const response = await fetch(`${stack.api}/v1/${path}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-Access-Client-Id": setting("API_CLIENT_ID"),
        "X-Access-Secret": setting("API_SECRET"),
      },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  }

  /** The widget as a page of its own, in the look of a template. */
  async function open(visit, template) {
    const { id } = await call("templates/", { name: "Look", ...template });
    const token = await call("bridge-tokens/", { product_type: "income", client_name: "Somebody else", template_id: id });
    await visit.page.goto(`${stack.api}/mobile.html?bridge_token=${token.bridge_token}`);
    await search(visit.page).waitFor();
  }

  for (const [name, branding] of Object.entries(BRANDS)) {
    test(`dresses the widget, and everything can be read: ${name}`, async () => {
      const visit = await newVisit({ viewport: { width: 420, height: 800 } });
      const { page } = visit;
      await open(visit, { branding: { ...branding, logo: LOGO }, bridge: { texts: TEXTS }, hide_truv_logo: true });
      await page.getByRole("heading", { name: TEXTS.search_header }).waitFor();
      await page.getByText("Harbor Bank").waitFor();
      assert.equal(await page.getByText("Powered by").isVisible(), false);
      assert.ok(await page.locator(".asker-logo").evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
      if (branding.background_color) {
        const ground = await page.locator(".card").evaluate((card) => getComputedStyle(card).backgroundColor);
        assert.equal(ground, name === "night" ? "rgb(18, 58, 107)" : "rgb(128, 128, 128)");
      }
      await search(page).fill("Facebook");
      await page.getByRole("option").first().waitFor();
      assert.deepEqual(await page.evaluate(unreadable), []);
      await visit.picture(`template-${name}-1-search`);
      await page.getByRole("option").first().click();
      await page.getByRole("listitem").getByRole("button").first().click();
      await username(page).waitFor();
      assert.deepEqual(await page.evaluate(unreadable), []);
      await visit.picture(`template-${name}-2-sign-in`);
      await signIn(page, "goodlogin", "goodpassword");
      await button(page, TEXTS.success_cta).waitFor({ timeout: WORK_MS });
      assert.deepEqual(await page.evaluate(unreadable), []);
      await visit.picture(`template-${name}-3-success`);
      await visit.end();
    });
  }

  test("changes nothing where it says nothing", async () => {
    const visit = await newVisit({ viewport: { width: 420, height: 800 } });
    await open(visit, { branding: { logo: "https://example.com/logo.png" }, landing: { anything: true } });
    await visit.page.getByRole("heading", { name: "Find your employer" }).waitFor();
    await visit.page.getByText("Powered by").waitFor();
    assert.equal(await visit.page.locator(".asker-logo").count(), 0, "a picture elsewhere is not loaded");
    assert.equal(await visit.page.locator("html").getAttribute("style"), null);
    await visit.end();
  });
});

/** Runs in the page: texts whose contrast with what they stand on is under that of WCAG AA. */
function unreadable() {
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [red, green, blue, alpha = 1] = parts(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(".card *")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
    .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
    .map((element) => {
      const [dark, light] = [parts(getComputedStyle(element).color), groundOf(element)].map(luminance).sort((a, b) => a - b);
      return { text: element.textContent.slice(0, 40), contrast: (light + 0.05) / (dark + 0.05) };
    })
    .filter(({ contrast }) => contrast < 4.5);
}
