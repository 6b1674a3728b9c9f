/** A script of the page of results: what it was drawn from can be had back. */
const link = document.getElementById("save");
const results = document.getElementById("results")?.textContent;
if (link instanceof HTMLAnchorElement && results) {
  link.href = URL.createObjectURL(new Blob([results], { type: "application/json" }));
  link.hidden = false;
}

// A module, as all scripts of the page are: its names are its own.
export {};
