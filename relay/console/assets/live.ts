/**
 * Lists that grow at their head, [data-keeps=N], hold no more than N rows, however long the page is open. #pause holds back
 * what comes, so that what is looked at stays where it is; going on asks for the list anew, and so does a connection that was
 * lost and came back: what happened meanwhile is in it.
 */

let isLost = false

export function live(): void {
  document.addEventListener("htmx:after:swap", () => {
    trim()
    showPause()
  })
  document.addEventListener("click", ({ target }) => {
    const button = (target as Element).closest<HTMLElement>("#pause")
    if (button) pause(button)
  })
  document.addEventListener("htmx:sse:before:message", (event) => {
    const button = document.querySelector("#pause")
    if (button?.getAttribute("aria-pressed") === "true") event.preventDefault()
  })
  document.addEventListener("htmx:sse:error", (event) => {
    if ((event as CustomEvent<{ status?: number }>).detail.status === 401) location.reload()
    isLost = true
    tell("Not live: relay does not answer. Trying again.")
  })
  document.addEventListener("htmx:sse:after:connection", () => {
    if (!isLost) return
    isLost = false
    askAnew()
  })
  showPause()
}

function tell(text: string): void {
  const news = document.querySelector("#news")
  if (news) news.textContent = text
}

function askAnew(): void {
  document.querySelector<HTMLFormElement>("#search")?.requestSubmit()
}

function trim(): void {
  for (const list of document.querySelectorAll<HTMLElement>("[data-keeps]")) {
    const most = Number(list.dataset.keeps)
    while (list.children.length > most) list.lastElementChild?.remove()
  }
}

function showPause(): void {
  const button = document.querySelector<HTMLElement>("#pause[hidden]")
  if (button) button.hidden = false
}

function pause(button: HTMLElement): void {
  const isPaused = button.getAttribute("aria-pressed") !== "true"
  button.setAttribute("aria-pressed", String(isPaused))
  button.textContent = isPaused ? "Go on" : "Pause"
  tell(isPaused ? "Paused: nothing new is shown." : "Live: new events come at the top.")
  if (!isPaused) askAnew()
}
