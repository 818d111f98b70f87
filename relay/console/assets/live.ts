/** Lists that grow at their head, [data-keeps=N]: they hold no more than N rows, however long the page is open. */

export function live(): void {
  document.addEventListener("htmx:after:swap", () => {
    for (const list of document.querySelectorAll<HTMLElement>("[data-keeps]")) {
      const most = Number(list.dataset.keeps)
      while (list.children.length > most) list.lastElementChild?.remove()
    }
  })
}
