/** Says what is being done now. */
export type Progress = (what: string) => void

const WIDTH = 40

/** One line on standard error that is written over and over. */
export const progressLine = {
  show: (what: string) => void process.stderr.write(`\r${what.padEnd(WIDTH)}`),
  clear: () => void process.stderr.write(`\r${' '.repeat(WIDTH)}\r`),
}
