import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { CHANNELS } from '../../../shared/channels.ts'
import { INSTRUMENTS, type Instrument, isTick, TICKS_KEPT, type Tick } from '../../../shared/tick.ts'
import { followChannel } from '../../channels/follow-channel.ts'
import { client } from '../../line/client.ts'

export interface Quote extends Instrument {
  readonly ticks: ReadonlySignal<readonly Tick[]>
  readonly summary: ReadonlySignal<QuoteSummary | undefined>
}

export interface QuoteSummary {
  readonly price: number
  /** Of the newest tick. */
  readonly direction: 'up' | 'down' | 'still'
  /** Since the oldest tick that is kept, relative. */
  readonly change: number
  readonly low: number
  readonly high: number
}

const summaryOf = (ticks: readonly Tick[]): QuoteSummary | undefined => {
  const prices = ticks.map(({ price }) => price)
  const [oldest] = prices
  const price = prices.at(-1)
  if (oldest === undefined || price === undefined) return undefined
  const step = price - (prices.at(-2) ?? price)
  return {
    price,
    direction: step > 0 ? 'up' : step < 0 ? 'down' : 'still',
    change: price / oldest - 1,
    low: Math.min(...prices),
    high: Math.max(...prices),
  }
}

/** One channel for each instrument, all on the same line. */
export const QUOTES: readonly Quote[] = INSTRUMENTS.map((instrument) => {
  const published = followChannel(client.channel(CHANNELS.market(instrument.symbol)), { keep: TICKS_KEPT, accept: isTick })
  const ticks = computed(() => published.value.map(({ data }) => data))
  return { ...instrument, ticks, summary: computed(() => summaryOf(ticks.value)) }
})

export const chosenSymbol = signal(INSTRUMENTS[0]?.symbol ?? '')

export const chosenQuote = computed(() => QUOTES.find(({ symbol }) => symbol === chosenSymbol.value))
