import { randomFillSync } from 'node:crypto'

/** To ask the system for two dozen bytes costs nearly as much as to ask for all of these. */
const POOL_BYTES = 4096

const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** So many random bytes as base64url: 4096 at most, of the system's generator, and each given once. */
export const randomText = (bytes: number): string => {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const text = pool.toString('base64url', used, used + bytes)
  // A secret that has been given out stays nowhere but with its holder.
  pool.fill(0, used, used + bytes)
  used += bytes
  return text
}
