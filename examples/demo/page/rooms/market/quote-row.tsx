import { Sparkline } from '../../charts/sparkline.tsx'
import { chosenSymbol, type Quote } from './market-store.ts'
import { arrowOf, formatChange, formatPrice, toneOf } from './money.ts'

/** Every so many ticks, a point: the sparkline spans the same time as the change beside it. */
const SPARKLINE_STEP = 4

/** One instrument in the list: a press chooses it for the chart. */
export const QuoteRow = ({ quote }: { quote: Quote }) => {
  const summary = quote.summary.value
  const ticks = quote.ticks.value
  const newest = ticks.at(-1)
  const chosen = chosenSymbol.value === quote.symbol
  return (
    <li>
      <button type="button" class="quote" aria-pressed={chosen} onClick={() => (chosenSymbol.value = quote.symbol)}>
        <span class="quote-name">
          <strong>{quote.symbol}</strong>
          <small class="soft">{quote.name}</small>
        </span>
        <Sparkline
          values={ticks.filter((_, index) => (ticks.length - 1 - index) % SPARKLINE_STEP === 0).map(({ price }) => price)}
          {...(summary ? { tone: toneOf(summary.change) } : {})}
        />
        {summary && newest ? (
          <span class="quote-numbers number">
            {/* A new key is a new element: the flash plays for every tick. */}
            <span key={newest.at} class={`quote-price ${summary.direction}`}>
              {formatPrice(summary.price)}
            </span>
            <span class={`quote-change ${toneOf(summary.change)}`}>
              {arrowOf(summary.change)} {formatChange(summary.change)}
            </span>
          </span>
        ) : (
          <span class="quote-numbers number soft">—</span>
        )}
      </button>
    </li>
  )
}
