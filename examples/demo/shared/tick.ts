import { fieldsOf, isNumber } from './fields.ts'

export interface Instrument {
  readonly symbol: string
  readonly name: string
  /** The price that the simulation starts from. */
  readonly start: number
  /** How much the price moves: standard deviation of one tick, relative to the price. */
  readonly volatility: number
}

/** Invented, so that nobody takes a simulated price for a real one. */
export const INSTRUMENTS: readonly Instrument[] = [
  { symbol: 'AMBR', name: 'Amber Foundry', start: 184.2, volatility: 0.0009 },
  { symbol: 'HELI', name: 'Helix Bearings', start: 62.75, volatility: 0.0012 },
  { symbol: 'KITE', name: 'Kite & Sons', start: 23.4, volatility: 0.0016 },
  { symbol: 'LUMN', name: 'Lumen Glassworks', start: 341.0, volatility: 0.0007 },
  { symbol: 'MOSS', name: 'Moss Cartography', start: 97.1, volatility: 0.001 },
  { symbol: 'TIDE', name: 'Tidewater Clocks', start: 12.85, volatility: 0.002 },
]

/** One price. `at` is the simulation's time, in milliseconds since the epoch. */
export interface Tick {
  readonly price: number
  readonly at: number
}

/** Ticks of an instrument that the server keeps. */
export const TICKS_KEPT = 240

export const isTick = (value: unknown): value is Tick => {
  const { price, at } = fieldsOf(value)
  return isNumber(price) && price > 0 && isNumber(at)
}
