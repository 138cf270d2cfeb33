import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `90s`, `15m`, `1h`, `30d`; undefined for `never`. A bare number is refused, as nobody can tell its unit. */
export const readDuration = (text: string): number | undefined => {
  if (text === 'never') return undefined
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/u.exec(text.trim()) ?? []
  const factor = UNITS[unit]
  if (digits === undefined || factor === undefined) throw new InvalidArgumentError('Write 90s, 15m, 1h, 30d or never.')
  return Number(digits) * factor
}
