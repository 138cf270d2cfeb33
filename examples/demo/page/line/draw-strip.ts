import { inkOf } from '../shell/theme.ts'
import type { Outage } from './outage.ts'
import { LANES, type Mark, TRACE_MS } from './trace.ts'

export interface Inks {
  readonly wire: string
  readonly mark: string
  readonly accent: string
  readonly hole: string
  readonly label: string
}

export const readInks = (): Inks => ({
  wire: inkOf('--hairline-strong'),
  mark: inkOf('--ink'),
  accent: inkOf('--accent'),
  hole: inkOf('--accent-wash'),
  label: inkOf('--accent'),
})

export interface StripView {
  readonly width: number
  readonly height: number
  readonly now: number
  readonly inks: Inks
  readonly marks: readonly Mark[]
  readonly outages: readonly Outage[]
  readonly live: boolean
}

/** Space kept at the right for the lamps at the wires' ends. */
const EDGE = 12
const LAMP_RADIUS = 2.5
const MARK_WIDTH = 1.5
/** How far the ends of a broken wire are bent. */
const FRAY = 3

export const drawStrip = (context: CanvasRenderingContext2D, view: StripView): void => {
  const { width, height, now, inks, outages, live } = view
  const xOf = (at: number): number => width - EDGE - ((now - at) / TRACE_MS) * (width - EDGE)
  const laneHeight = height / LANES.length
  context.clearRect(0, 0, width, height)

  const holes = outages.map(({ cutAt, back }) => [Math.max(0, xOf(cutAt)), back ? xOf(back.at) : width - EDGE / 2] as const)
  drawHoles(context, height, holes, inks)
  for (const lane of LANES.keys()) drawWire(context, (lane + 0.5) * laneHeight, width, holes, inks)
  drawMarks(context, view, xOf, laneHeight)

  context.fillStyle = live ? inks.accent : inks.wire
  for (const lane of LANES.keys()) {
    context.beginPath()
    context.arc(width - LAMP_RADIUS - 1, (lane + 0.5) * laneHeight, LAMP_RADIUS, 0, 2 * Math.PI)
    context.fill()
  }
}

type Hole = readonly [from: number, to: number]

const drawHoles = (context: CanvasRenderingContext2D, height: number, holes: readonly Hole[], { hole }: Inks): void => {
  context.fillStyle = hole
  for (const [from, to] of holes) if (to > 0) context.fillRect(from, 0, Math.max(2, to - from), height)
}

/** A wire, broken where the line was cut, with its ends bent apart. */
const drawWire = (context: CanvasRenderingContext2D, y: number, width: number, holes: readonly Hole[], { wire }: Inks): void => {
  context.strokeStyle = wire
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(0, y)
  for (const [from, to] of holes) {
    if (to <= 0 || to - from < 2 * FRAY) continue
    context.lineTo(from - FRAY, y)
    context.lineTo(from, y - FRAY)
    context.moveTo(to, y + FRAY)
    context.lineTo(to + FRAY, y)
  }
  context.lineTo(width, y)
  context.stroke()
}

const drawMarks = (
  context: CanvasRenderingContext2D,
  { marks, inks }: StripView,
  xOf: (at: number) => number,
  laneHeight: number,
): void => {
  for (const recovered of [false, true]) {
    const size = laneHeight * (recovered ? 0.78 : 0.6)
    context.fillStyle = recovered ? inks.accent : inks.mark
    for (const mark of marks) {
      if (mark.recovered === recovered) {
        context.fillRect(xOf(mark.at) - MARK_WIDTH / 2, (mark.lane + 0.5) * laneHeight - size / 2, MARK_WIDTH, size)
      }
    }
  }
}
