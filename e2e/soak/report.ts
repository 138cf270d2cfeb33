import { repeating, type SoakOptions } from './soak-options.ts'

export const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

export type Row = readonly [name: string, value: number | string]

/** Rows as a table: the names to the left, the values to the right. */
export const table = (rows: readonly Row[]): string => {
  const [names, values] = [0, 1].map((at) => Math.max(...rows.map((row) => `${row[at]}`.length))) as [number, number]
  return rows.map(([name, value]) => `${name.padEnd(names)}  ${`${value}`.padStart(values)}`).join('\n')
}

/** Says what is wrong, beside what has been told already, and how it ends. Returns the exit code. */
export const conclude = (options: SoakOptions, isHeld: boolean, wrong: readonly (string | undefined | false)[]): number => {
  const told = wrong.filter((each) => typeof each === 'string')
  for (const each of told) console.error(`✗ ${each}`)
  if (isHeld && told.length === 0) {
    console.log('✓ every promise was held')
    return 0
  }
  console.log(`✗ not every promise was held; to try again: ${repeating(options)}`)
  return 1
}
