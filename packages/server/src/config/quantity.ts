const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
}

/** Powers of 1024 for all spellings: somebody who writes 64KB as a limit of a buffer means 65,536. */
const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  byte: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
}

/** What somebody meant who wrote `25s`, `64 KB` or `1_000` where a plain number is due; undefined when it cannot be told. */
export const readQuantity = (written: string, unit: 'milliseconds' | 'bytes' | undefined): number | undefined => {
  const match = /^([\d_,]*\.?\d+)\s*([a-z]*)$/iu.exec(written.trim())
  if (!match) return undefined
  const [, digits = '', suffix = ''] = match
  const word = suffix.toLowerCase()
  const units = unit === 'milliseconds' ? MILLISECONDS : unit === 'bytes' ? BYTES : {}
  const factor = word === '' ? 1 : (units[word] ?? units[word.replace(/s$/u, '')])
  const number = Number(digits.replaceAll(/[_,]/gu, ''))
  return factor === undefined || Number.isNaN(number) ? undefined : Math.round(number * factor)
}
