/** Buttons beside code that copy it. They are hidden until this script is there. */

export function copyable(within: ParentNode): void {
  for (const button of within.querySelectorAll<HTMLButtonElement>("button[data-copy][hidden]")) {
    button.hidden = false
    button.addEventListener("click", () => void copy(button))
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const code = button.parentElement?.querySelector("code")?.textContent ?? ""
  const label = button.textContent
  button.textContent = (await written(code)) ? "Copied" : "Select it, and copy"
  setTimeout(() => (button.textContent = label), 1500)
}

async function written(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text) // not there over plain http on another host than localhost
    return true
  } catch {
    return false
  }
}
