// What is nicer with script: copying, and lists that grow while one looks. Every page works without.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const before = button.textContent;
    const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text.trim());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it";
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });
}

// A live list: its address answers with lines, each a JSON object of the cells' texts and a link.
for (const list of document.querySelectorAll("[data-live]")) {
  const status = document.getElementById("live-status");
  const source = new EventSource(list.dataset.live);
  source.addEventListener("open", () => { if (status) status.textContent = "Live: new calls appear at the top."; });
  source.addEventListener("error", () => { if (status) status.textContent = "Not live at the moment."; });
  source.addEventListener("message", (event) => {
    const { url, cells } = JSON.parse(event.data);
    const row = document.createElement("tr");
    cells.forEach((text, index) => {
      const cell = document.createElement("td");
      if (index === 0 && url) {
        const link = document.createElement("a");
        link.href = url;
        link.textContent = text;
        cell.append(link);
      } else {
        cell.textContent = text;
      }
      row.append(cell);
    });
    list.prepend(row);
    while (list.rows.length > 200) list.lastElementChild.remove();
  });
}

// A passkey answers the question that stands in its form. Where the browser has none, the form stays hidden.
for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const options = JSON.parse(form.dataset.options);
    try {
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.namedItem("answer").value = JSON.stringify(credential);
      form.submit();
    } catch {
      form.querySelector("[role=status]").textContent = "No passkey was used. Try again, or use another way.";
    }
  });
}
