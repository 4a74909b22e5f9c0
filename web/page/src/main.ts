/** The page: who the server is, which models it has, and the one that is looked at. */
import { FhectlError, type ListedModel, listModels, type LoadedModel, Model } from "./client.js";
import { byId, h } from "./dom.js";
import { codeOf, errorNote } from "./errors.js";
import { modelInAddress, modelsList } from "./models_list.js";
import { ModelView } from "./model_view.js";
import { configureFiles, isServedHere, serverUrl } from "./place.js";
import { trustView } from "./trust.js";

const server = serverUrl();
/** Where the token is until this tab is closed. Pages for other servers may lie on the same host, and must not send it there. */
const TOKEN = `fhectl-token ${server.href}`;
let models: ListedModel[] = [];
let loaded: LoadedModel | null = null;
/** Counts what was asked for, so that what comes late is known to be late. */
let asked = 0;

function token(): string | undefined {
  return sessionStorage.getItem(TOKEN) ?? undefined;
}

async function list(): Promise<void> {
  const mine = ++asked;
  try {
    models = await listModels(server, { token: token() });
  } catch (error) {
    if (mine === asked) failed(error, () => void list());
    return;
  }
  if (mine === asked) await show();
}

/** Shows the model that the address names. */
async function show(): Promise<void> {
  const mine = ++asked;
  const only = models.length === 1 ? models[0]!.name : null;
  const name = modelInAddress() ?? only;
  document.body.classList.toggle("has-model", name !== null);
  document.body.classList.toggle("one-model", only !== null);
  byId("models").replaceChildren(...modelsList(models, name));
  const main = byId("main");
  await loaded?.close();
  loaded = null;
  if (name === null) {
    main.replaceChildren(welcome());
    document.title = "Private prediction";
    return;
  }
  document.title = `${name}: private prediction`;
  main.replaceChildren(h("p", { class: "hint" }, `Loading ${name} …`));
  try {
    const model = await Model.load({ url: server, name }, { token: token() });
    if (mine !== asked) return await model.close();
    loaded = model;
    const view = new ModelView(model, server.host);
    main.replaceChildren(view.element);
    view.focus();
  } catch (error) {
    if (mine === asked) failed(error, () => void show());
  }
}

function welcome(): HTMLElement {
  const step = (place: string, title: string, text: string) => h("li", { class: place }, h("h3", {}, title), h("p", {}, text));
  return h(
    "ol",
    { class: "welcome" },
    step("tab", "You ask", "Type, draw or drop a file. This tab encrypts it under a key that it made."),
    step("server", "The server computes", "It runs its model on the ciphertext. It holds no key that opens it."),
    step("tab", "You read", "The answer comes back encrypted, and this tab alone decrypts it."),
  );
}

function failed(error: unknown, again: () => void): void {
  document.body.classList.add("has-model");
  byId("main").replaceChildren(errorNote(error, again));
  if (error instanceof FhectlError && codeOf(error) === "unauthorized") openToken(true);
}

function openToken(open: boolean): void {
  byId("token").hidden = !open;
  byId("token-button").setAttribute("aria-expanded", String(open));
  if (open) byId("token-field").focus();
}

function listen(): void {
  byId("token-button").addEventListener("click", () => openToken(Boolean(byId("token").hidden)));
  byId("token").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId<HTMLInputElement>("token-field");
    if (field.value === "") sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, field.value.trim());
    field.value = "";
    openToken(false);
    void list();
  });
  // Beside the field for files the browser would leave the page for the file, and what stands in it would be gone.
  for (const name of ["dragover", "drop"] as const) addEventListener(name, (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    // Other anchors are places in the page.
    if (location.hash === "" || location.hash.startsWith("#/")) void show();
  });
}

byId("server").textContent = server.host;
byId("trust").replaceChildren(...trustView(isServedHere(), server.host));
listen();
try {
  await configureFiles();
  await list();
} catch (error) {
  failed(error, () => location.reload());
}
