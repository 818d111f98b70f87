/** The charts of the overview: uPlot on the data of [data-charts], in every [data-chart] within it.
 *
 * The page's figures are fetched anew every few seconds; charts outlive that, and so does what was open and had the focus.
 */

interface Line {
  of: string
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
declare const uPlot: {
  new (options: object, data: unknown, within: HTMLElement): Plot
  tzDate(date: Date, zone: string): Date
}

const HEIGHT = 220
const COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"]
const CHARTS = ["errors", "throughput"] // the first has all destinations, the other sources, too
const DAY = "\n{YYYY}-{MM}-{DD}" // below the first moment of a day
// of uPlot: from how many seconds between two marks, how these are written, and where a year, a month, a day begins
const MARKS = [
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", DAY, null, DAY, null, null, null, 1],
]
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
  const colours = coloured(data)
  for (const place of within.querySelectorAll<HTMLElement>("[data-chart]")) {
    const name = place.dataset.chart ?? ""
    const lines = data[name] ?? []
    const labels = JSON.stringify(lines.map((line) => [line.label, colours.get(line.of)]))
    const columns = [data.at, ...lines.map((line) => line.values)]
    const there = plots.get(name)
    if (there && there.labels === labels) {
      if (there.plot.root.parentElement !== place) place.replaceChildren(there.plot.root)
      there.plot.setData(columns)
    } else {
      there?.plot.destroy()
      place.replaceChildren()
      plots.set(name, { plot: new uPlot(options(place, lines, colours), columns, place), labels })
    }
  }
}

/** The number of the colour of each source and destination: the same in every chart. */
function coloured(data: Data): Map<string, number> {
  const names = new Set(CHARTS.flatMap((name) => data[name] ?? []).map((line) => line.of))
  return new Map([...names].map((name, n) => [name, n]))
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

function options(place: HTMLElement, lines: Line[], colours: Map<string, number>): object {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } }
  return {
    width: place.clientWidth || 300,
    height: HEIGHT,
    scales: { y: { range: (_: unknown, low: number | null, high: number | null) => [Math.min(0, low ?? 0), (high ?? 0) * 1.1 || 1] } },
    axes: [{ ...axis, values: MARKS }, { ...axis, size: 60 }],
    tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), // as in the tables
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
      ...lines.map((line, n) => ({
        label: line.label,
        ...stroke(colours.get(line.of) ?? 0, lines[n - 1]?.of === line.of),
        width: 2,
        spanGaps: true,
      })),
    ],
  }
}

/** A line's colour; it is dashed where another has the colour, and dotted where it is the second of one destination. */
function stroke(number: number, isSecond: boolean): object {
  const dash = isSecond ? [2, 4] : number >= COLOURS.length ? [6, 4] : undefined
  return { stroke: colour(COLOURS[number % COLOURS.length] ?? "--link"), dash }
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
