import { formatClock } from '../../charts/chart-axes.ts'
import type { Quote } from './market-store.ts'
import { arrowOf, formatChange, formatPrice, toneOf } from './money.ts'

/** The chosen instrument in numbers: the newest price, or the one under the pointer. */
export const PriceHead = ({ quote, point }: { quote: Quote; point: number | undefined }) => {
  const summary = quote.summary.value
  const ticks = quote.ticks.value
  const [oldest] = ticks
  const tick = point === undefined ? ticks.at(-1) : ticks[point]
  if (!summary || !tick || !oldest) return <div class="price-head" />
  const change = tick.price / oldest.price - 1
  return (
    <div class="price-head">
      <div>
        <p class="engraved">
          {quote.name} · {quote.symbol}
        </p>
        <p class="price-now number">{formatPrice(tick.price)}</p>
      </div>
      <dl class="price-facts">
        <Fact name="Change" value={`${arrowOf(change)} ${formatChange(change)}`} tone={toneOf(change)} />
        <Fact name="High" value={formatPrice(summary.high)} />
        <Fact name="Low" value={formatPrice(summary.low)} />
        <Fact name="At" value={formatClock(tick.at)} />
      </dl>
    </div>
  )
}

const Fact = ({ name, value, tone = '' }: { name: string; value: string; tone?: string }) => (
  <div>
    <dt class="engraved">{name}</dt>
    <dd class={`number ${tone}`}>{value}</dd>
  </div>
)
