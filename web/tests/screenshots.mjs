// Takes the pictures of the guide: node screenshots.mjs [FOLDER]. Wants a built fhectl, or a page at FHECTL_PAGE_URL.
import { join } from "node:path";
import { launch, open, openModel, predict } from "./support/browser.mjs";
import { ROOT, Server } from "./support/server.mjs";

const folder = process.argv[2] ?? join(ROOT, "docs/src/images");
const server = process.env.FHECTL_PAGE_URL ? null : await Server.start();
const url = process.env.FHECTL_PAGE_URL ?? server.url;
const browser = await launch();

async function picture(name, size, colorScheme, model, prepare) {
  const page = await open(browser, { viewport: size, colorScheme });
  await openModel(page, url, model);
  await prepare(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, `page-${name}.png`) });
  await page.context().close();
}

const seven = (page) => page.getByRole("button", { name: "Draw an example: 7" }).click();
await picture("desktop", { width: 1280, height: 1000 }, "light", "mlp-mnist", async (page) => {
  await seven(page);
  await predict(page);
  await page.locator(".journey").waitFor();
});
await picture("tablet", { width: 820, height: 1100 }, "light", "boost-spam", async (page) => {
  await predict(page);
  await page.locator(".break-it").waitFor();
  await page.locator(".result").evaluate((element) => element.scrollIntoView());
});
await picture("phone", { width: 390, height: 844 }, "dark", "tree-spam", async () => {});
await browser.close();
await server?.stop();
