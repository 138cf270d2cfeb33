const BAR = 24
const TEXT = 70

const width = BAR + TEXT + 10

/** The line, with a bar that is full at a share of 1. */
export const progressText = (share: number, what: string): string => {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${String(Math.floor(share * 100)).padStart(3)}% ${what.slice(0, TEXT)}`
}

/** One line on standard error that is written over and over; without a terminal, nothing. */
export const progressBar = {
  show: (share: number, what: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${progressText(share, what).padEnd(width)}`)
  },
  clear: (): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${' '.repeat(width)}\r`)
  },
}
