/** Keys: `/` goes to the search of the page, j and k to the next and last link of its main list, as in other tools. */

export function keys(): void {
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input, textarea, select")) return
    if (event.key === "/") {
      const search = document.querySelector<HTMLInputElement>("input[type=search]")
      if (search) {
        event.preventDefault()
        search.focus()
      }
    }
    if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1)
  })
}

function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>("[data-list] a[data-item]")]
  const now = links.indexOf(document.activeElement as HTMLElement)
  links[Math.max(0, Math.min(links.length - 1, now + by))]?.focus()
}
