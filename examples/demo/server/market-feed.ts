import { CHANNELS } from '../shared/channels.ts'
import { INSTRUMENTS, TICKS_KEPT, type Tick } from '../shared/tick.ts'
import type { Feed, Publish } from './feed.ts'
import { createMarketSimulation } from './market-simulation.ts'

/** Each instrument ticks about twice a second, at moments of its own. */
const TICK_MS = 500

/** Publishes simulated prices, after a history that makes the first chart whole. */
export const startMarketFeed = async (publish: Publish): Promise<Feed> => {
  const timers = new Set<NodeJS.Timeout>()
  const startedAt = Date.now()

  for (const instrument of INSTRUMENTS) {
    const channel = CHANNELS.market(instrument.symbol)
    const nextPrice = createMarketSimulation(instrument)
    const tick = (at: number) => publish(channel, { price: nextPrice(), at } satisfies Tick)
    for (let ago = TICKS_KEPT; ago > 0; ago -= 1) await tick(startedAt - ago * TICK_MS)

    const tickLater = (): void => {
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          void tick(Date.now())
          tickLater()
        },
        TICK_MS * (0.4 + 1.2 * Math.random()),
      )
      timers.add(timer)
    }
    tickLater()
  }

  return {
    close() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
