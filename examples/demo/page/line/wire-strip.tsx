import './wire-strip.css'
import { useEffect, useRef } from 'preact/hooks'
import { ROOMS } from '../rooms/rooms.ts'
import { theme } from '../shell/theme.ts'
import { drawStrip, readInks } from './draw-strip.ts'
import { line } from './line-state.ts'
import { outages } from './outage-store.ts'
import { recentMarks } from './trace.ts'

/** Enough for the eye on a strip that moves some ten pixels a second, and little work. */
const FRAME_MS = 50
const STILL_FRAME_MS = 1000

/**
 * The last minute of the line: a wire for each room, and a notch for each publication. A cut leaves a hole in the wires; what
 * is recovered afterwards fills it in, in copper.
 */
export const WireStrip = () => {
  const canvas = useRef<HTMLCanvasElement>(null)
  const shade = theme.value

  // A change of theme changes the inks.
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context) return
    const inks = readInks()
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    let drawnAt = 0
    let frame = 0
    const draw = (at: number): void => {
      frame = requestAnimationFrame(draw)
      if (at - drawnAt < (still ? STILL_FRAME_MS : FRAME_MS)) return
      drawnAt = at
      const { clientWidth: width, clientHeight: height } = element
      const scale = devicePixelRatio
      if (element.width !== Math.round(width * scale)) element.width = Math.round(width * scale)
      if (element.height !== Math.round(height * scale)) element.height = Math.round(height * scale)
      context.setTransform(scale, 0, 0, scale, 0, 0)
      const now = Date.now()
      drawStrip(context, {
        width,
        height,
        now,
        inks,
        marks: recentMarks(now),
        outages: outages.peek(),
        live: line.peek().status === 'connected',
      })
    }
    frame = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(frame)
  }, [shade])

  return (
    <figure class="wire-strip" aria-label="Publications of the last minute, a wire for each room">
      <ul class="wire-names" aria-hidden="true">
        {ROOMS.map(({ id, short }) => (
          <li key={id}>{short}</li>
        ))}
      </ul>
      <canvas ref={canvas} />
      <div class="wire-scale number" aria-hidden="true">
        <span>60 s ago</span>
        <span>30 s</span>
        <span>now</span>
      </div>
    </figure>
  )
}
