import './market.css'
import { useCallback, useState } from 'preact/hooks'
import { RoomHead } from '../room-head.tsx'
import { chosenQuote, QUOTES } from './market-store.ts'
import { PriceChart } from './price-chart.tsx'
import { PriceHead } from './price-head.tsx'
import { QuoteRow } from './quote-row.tsx'

export const MarketRoom = () => {
  const quote = chosenQuote.value
  const [point, setPoint] = useState<number>()
  const onPoint = useCallback((index: number | undefined) => setPoint(index), [])
  return (
    <section class="room market" aria-labelledby="room-title">
      <RoomHead title="Market" about="Six instruments, a channel each: their history first, then every tick as it comes.">
        <span class="stamp">simulated prices</span>
      </RoomHead>
      <div class="market-desk">
        {quote && (
          <div class="market-chart">
            <PriceHead quote={quote} point={point} />
            <div class="market-plot">
              <PriceChart quote={quote} onPoint={onPoint} />
            </div>
          </div>
        )}
        <ul class="quotes" aria-label="Instruments">
          {QUOTES.map((each) => (
            <QuoteRow key={each.symbol} quote={each} />
          ))}
        </ul>
      </div>
    </section>
  )
}
