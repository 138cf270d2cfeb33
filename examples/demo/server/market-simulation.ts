import type { Instrument } from '../shared/tick.ts'

/** Pulls the price back, so that it still looks like one after a day. */
const REVERSION = 0.0004

/**
 * A random walk of one price: small normal steps, calm and lively stretches that follow each other, and a weak pull towards
 * the starting price. `random` is uniform in [0, 1).
 */
export const createMarketSimulation = ({ start, volatility }: Instrument, random: () => number = Math.random): (() => number) => {
  let price = start
  let mood = 1
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return () => {
    mood = Math.min(3, Math.max(0.4, mood * Math.exp(0.15 * normal()) * 0.995))
    price *= Math.exp(volatility * mood * normal() + REVERSION * Math.log(start / price))
    return Math.round(price * 100) / 100
  }
}
