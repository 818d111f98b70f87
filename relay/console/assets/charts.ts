/** The charts of the overview: uPlot on the data of [data-charts], in every [data-chart] within it.
 *
 * The page's figures are fetched anew every few seconds; charts outlive that, and so does what was open and had the focus.
 */

interface Line {
  label: string
  values: (number | null)[]
}
type Data = Record<string, Line[]> & { at: number[] }

interface Plot {
  root: HTMLElement
  setData(data: unknown): void
  setSize(size: { width: number; height: number }): void
  destroy(): void
}
declare const uPlot: new (options: object, data: unknown, within: HTMLElement) => Plot

const HEIGHT = 220
const COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"]
const plots = new Map<string, { plot: Plot; labels: string }>()
let latest: Data | null = null

const figures = document.querySelector<HTMLElement>("[data-charts]")
if (figures) begin(figures)

function begin(within: HTMLElement): void {
  keepPlace(within)
  void fetchAndDraw(within)
  document.addEventListener("htmx:after:swap", () => void fetchAndDraw(within))
  new ResizeObserver(() => resize(within)).observe(within)
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(within))
}

async function fetchAndDraw(within: HTMLElement): Promise<void> {
  if (latest) draw(within, latest) // at once, so that nothing flickers
  const answer = await fetch(within.dataset.charts ?? "", { headers: { Accept: "application/json" } })
  if (!answer.ok) return
  latest = (await answer.json()) as Data
  draw(within, latest)
}

function draw(within: HTMLElement, data: Data): void {
  for (const place of within.querySelectorAll<HTMLElement>("[data-chart]")) {
    const name = place.dataset.chart ?? ""
    const lines = data[name] ?? []
    const labels = JSON.stringify(lines.map((line) => line.label))
    const columns = [data.at, ...lines.map((line) => line.values)]
    const there = plots.get(name)
    if (there && there.labels === labels) {
      if (there.plot.root.parentElement !== place) place.replaceChildren(there.plot.root)
      there.plot.setData(columns)
    } else {
      there?.plot.destroy()
      place.replaceChildren()
      plots.set(name, { plot: new uPlot(options(place, lines), columns, place), labels })
    }
  }
}

function redraw(within: HTMLElement): void {
  for (const { plot } of plots.values()) plot.destroy()
  plots.clear()
  if (latest) draw(within, latest)
}

function resize(within: HTMLElement): void {
  for (const place of within.querySelectorAll<HTMLElement>("[data-chart]")) {
    const there = plots.get(place.dataset.chart ?? "")
    if (there && place.clientWidth) there.plot.setSize({ width: place.clientWidth, height: HEIGHT })
  }
}

function options(place: HTMLElement, lines: Line[]): object {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } }
  return {
    width: place.clientWidth || 300,
    height: HEIGHT,
    scales: { y: { range: (_: unknown, low: number | null, high: number | null) => [Math.min(0, low ?? 0), (high ?? 0) * 1.1 || 1] } },
    axes: [axis, { ...axis, size: 60 }],
    cursor: { drag: { x: false, y: false } },
    series: [
      {},
      ...lines.map((line, n) => ({
        label: line.label,
        stroke: colour(COLOURS[n % COLOURS.length] ?? "--link"),
        dash: n >= COLOURS.length ? [6, 4] : undefined, // what has the colour of another
        width: 2,
        spanGaps: true,
      })),
    ],
  }
}

/** The colour that a variable of the style sheet stands for now, in light or dark. */
function colour(variable: string): string {
  const probe = document.createElement("span")
  probe.style.color = `var(${variable})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

function keepPlace(within: HTMLElement): void {
  let open: string[] = []
  let focused = ""
  document.addEventListener("htmx:before:swap", () => {
    open = [...within.querySelectorAll<HTMLDetailsElement>("details[open]")].map((one) => one.id)
    const at = document.activeElement
    focused = at && within.contains(at) ? named(at) : ""
  })
  document.addEventListener("htmx:after:swap", () => {
    for (const id of open) (document.getElementById(id) as HTMLDetailsElement | null)?.setAttribute("open", "")
    if (focused) within.querySelector<HTMLElement>(focused)?.focus({ preventScroll: true })
  })
}

/** How the same element is found again among new ones: by its id, its label, or the details it opens. */
function named(at: Element): string {
  if (at.id) return `#${CSS.escape(at.id)}`
  const label = at.getAttribute("aria-label")
  if (label) return `[aria-label="${CSS.escape(label)}"]`
  const details = at.closest("details")?.id
  return details ? `#${CSS.escape(details)} > summary` : ""
}
