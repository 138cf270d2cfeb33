/** For `node --import`: SIGUSR2 sets the clock of this process to another time, two hours ahead at first, then four hours back. */
const HOUR_MS = 3_600_000
const jumps = [2 * HOUR_MS, -4 * HOUR_MS]
const { now } = Date
let shift = 0

Date.now = () => now() + shift
process.on('SIGUSR2', () => {
  shift += jumps.shift() ?? 0
  console.error(`the clock is off by ${shift / HOUR_MS} h`)
})
