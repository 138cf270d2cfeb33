/** The ways in that the client knows, in the default order of fallback. */
export const TRANSPORTS = ['websocket', 'stream', 'sse', 'poll'] as const

export type TransportName = (typeof TRANSPORTS)[number]

/** One way to one place. */
export interface Route {
  readonly endpoint: string
  readonly transport: TransportName
}

/** How many failed rounds it takes until what has worked before is no longer trusted to work again. */
const TRUSTED_ROUNDS = 2

/**
 * Plans one round of attempts: the next endpoint first, then the next transport. An endpoint where a transport has worked is
 * tried with that one alone at first, because it is more likely away than changed, and a restarting server should not be hit with
 * every transport of every client; after that many failed rounds everything is tried, that one first.
 * `first` is the endpoint to begin with.
 */
export const planRound = (
  endpoints: readonly string[],
  transports: readonly TransportName[],
  worked: ReadonlyMap<string, TransportName>,
  failedRounds: number,
  first = 0,
): Route[] => {
  const routes: Route[] = []
  const plans = endpoints.map((_, i) => {
    const endpoint = endpoints[(i + first) % endpoints.length] as string
    const known = worked.get(endpoint)
    if (!known || !transports.includes(known)) return { endpoint, order: transports }
    return { endpoint, order: failedRounds < TRUSTED_ROUNDS ? [known] : [known, ...transports.filter((name) => name !== known)] }
  })
  for (let i = 0; i < transports.length; i++)
    for (const { endpoint, order } of plans) {
      const transport = order[i]
      if (transport) routes.push({ endpoint, transport })
    }
  return routes
}
