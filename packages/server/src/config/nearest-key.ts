import { distance } from 'fastest-levenshtein'

const plain = (key: string): string => key.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/**
 * The known key that was probably meant, or undefined when none is near. Case and separators do not count, and a key of which a
 * whole part was written is nearer than the letters say, as `pingInterval` for `pingIntervalMs` or `origins` for `allowedOrigins`.
 */
export const nearestKey = (written: string, known: Iterable<string>): string | undefined => {
  const wanted = plain(written)
  let best: { key: string; cost: number } | undefined
  for (const key of known) {
    const candidate = plain(key)
    const shared =
      wanted.length >= 4 && (candidate.startsWith(wanted) || candidate.endsWith(wanted) || wanted.startsWith(candidate))
    const cost = shared ? 1 : distance(wanted, candidate)
    if (!best || cost < best.cost) best = { key, cost }
  }
  return best && best.cost <= Math.max(2, Math.floor(wanted.length * 0.4)) ? best.key : undefined
}
