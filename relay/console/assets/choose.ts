/** [data-choose-all=NAME]: a box that ticks all boxes of this name in its form. It is hidden until this script is there. */

export function choose(within: ParentNode): void {
  for (const label of within.querySelectorAll<HTMLElement>("[data-choose-all]")) {
    const all = label.querySelector("input")
    const form = label.closest("form")
    if (all && form) tie(all, form, label.dataset.chooseAll ?? "")
    label.hidden = false
  }
}

function tie(all: HTMLInputElement, form: HTMLFormElement, name: string): void {
  const boxes = [...form.querySelectorAll<HTMLInputElement>("input[type=checkbox]")].filter((box) => box.name === name)
  const look = () => {
    const chosen = boxes.filter((box) => box.checked).length
    all.checked = chosen === boxes.length
    all.indeterminate = chosen > 0 && !all.checked
  }
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked
  })
  for (const box of boxes) box.addEventListener("change", look)
  look() // browsers keep what was ticked when one comes back
}
