// Figures enlarge to their own size in a dialog; Escape closes it.

function startFigures() {
  const dialog = byId("enlarged");
  if (!dialog) return;
  const frame = dialog.querySelector(".image");
  for (const button of document.querySelectorAll(".zoom")) {
    button.addEventListener("click", () => {
      const figure = button.closest("figure");
      byId("enlarged-title").textContent = figure.querySelector("h3").textContent;
      frame.replaceChildren(figure.querySelector("img").cloneNode());
      dialog.showModal();
    });
  }
  byId("enlarged-close").addEventListener("click", () => dialog.close());
}
