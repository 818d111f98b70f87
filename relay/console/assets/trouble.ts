/** When relay does not answer what a page asked for, the page says so, until it answers again. */

export function trouble(): void {
  document.addEventListener("htmx:error", (event) => {
    const { error } = (event as CustomEvent<{ error?: unknown }>).detail
    if (error instanceof TypeError) show(true) // what fetch throws without a network
  })
  document.addEventListener("htmx:after:request", () => show(false))
}

function show(isThere: boolean): void {
  const line = document.querySelector<HTMLElement>("#trouble")
  if (line) line.hidden = !isThere
}
