import './sparkline.css'

/** The shape of a few values, without numbers: they stand beside it. */
export const Sparkline = ({ values, tone }: { values: readonly number[]; tone?: 'up' | 'down' | 'accent' }) => {
  if (values.length < 2) return <svg class="sparkline" viewBox="0 0 100 28" aria-hidden="true" />
  const low = Math.min(...values)
  const span = Math.max(...values) - low || 1
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * 100
    const y = 26 - ((value - low) / span) * 24
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg class={`sparkline ${tone ?? ''}`} viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  )
}
