/** Three quarters of a circle, open at the bottom. */
const SWEEP = 270
const RADIUS = 52
const LENGTH = 2 * Math.PI * RADIUS * (SWEEP / 360)
const TICKS = 31

export interface GaugeProps {
  readonly name: string
  /** Between 0 and 1. */
  readonly share: number
  readonly value: string
  readonly unit: string
  readonly note?: string
}

/** A round instrument: a scale of fine ticks, and an arc up to the value. */
export const Gauge = ({ name, share, value, unit, note }: GaugeProps) => {
  const held = Math.min(1, Math.max(0, share))
  return (
    <div class="gauge">
      <svg viewBox="0 0 144 132" role="img" aria-label={`${name}: ${value} ${unit}`}>
        {Array.from({ length: TICKS }, (_, index) => {
          const angle = (index / (TICKS - 1)) * SWEEP - SWEEP / 2
          const long = index % 5 === 0
          return (
            <line
              key={index}
              class={long ? 'gauge-tick long' : 'gauge-tick'}
              x1="72"
              x2="72"
              y1={long ? 4 : 7}
              y2="12"
              transform={`rotate(${angle} 72 72)`}
            />
          )
        })}
        <g transform={`rotate(${90 + (360 - SWEEP) / 2} 72 72)`}>
          <circle class="gauge-track" cx="72" cy="72" r={RADIUS} stroke-dasharray={`${LENGTH} 999`} />
          <circle class="gauge-arc" cx="72" cy="72" r={RADIUS} stroke-dasharray={`${LENGTH * held} 999`} />
        </g>
        <text class="gauge-value" x="72" y="78">
          {value}
        </text>
        <text class="gauge-unit" x="72" y="97">
          {unit}
        </text>
      </svg>
      <p class="engraved">{name}</p>
      {note && <p class="gauge-note soft number">{note}</p>}
    </div>
  )
}
