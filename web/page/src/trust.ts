/** What a reader of this page has to believe, said plainly. */
import { h } from "./dom.js";

export function trustView(servedHere: boolean, host: string): HTMLElement[] {
  const whose = servedHere
    ? [
        h(
          "p",
          {},
          h("strong", {}, `This page came from ${host}, which also answers it. `),
          "The encryption keeps your rows from a server that sends the page as it is written. It cannot keep them from a server that sends another page: one that reads what you type and passes it on.",
        ),
        h(
          "p",
          {},
          "If you do not want to trust it that far, take the page from somewhere else: ",
          h("code", {}, "fhectl page"),
          " writes it from a program of your own, for a web server of yours or as one file to open from disk. Or use ",
          h("code", {}, "fhectl predict"),
          ".",
        ),
      ]
    : [
        h(
          "p",
          {},
          h("strong", {}, `This page did not come from ${host}, which answers it. `),
          "It is a copy that checks every file it loads, and may reach no other server. You trust whoever gave you the copy.",
        ),
      ];
  return [
    h("h2", {}, "How far to trust this page"),
    ...whose,
    h("p", {}, "Answers are not signed: a server may answer anything. What it cannot do is read your row or your answer."),
  ];
}
