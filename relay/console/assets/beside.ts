/** What is opened beside a list: it gets the focus, and gives it back when it is closed. */

export function beside(): void {
  let opener: HTMLElement | null = null
  document.addEventListener("click", ({ target }) => {
    const at = target as HTMLElement
    const item = at.closest<HTMLElement>("a[data-item]")
    if (item) opener = item
    const close = at.closest<HTMLElement>("[data-close]")
    if (close) leave(close.dataset.close ?? "", opener)
  })
  document.addEventListener("keydown", ({ key }) => {
    const open = document.querySelector<HTMLElement>(".beside:not(:empty)")
    if (key === "Escape" && open) leave(open.id, opener)
  })
  document.addEventListener("htmx:after:swap", (event) => {
    const { target } = (event as CustomEvent<{ ctx: { target: unknown } }>).detail.ctx
    if (target instanceof HTMLElement && target.matches(".beside")) target.querySelector<HTMLElement>("h2")?.focus()
  })
}

function leave(id: string, opener: HTMLElement | null): void {
  document.getElementById(id)?.replaceChildren()
  opener?.focus()
}
