import { FusewireError } from '@fusewire/protocol'

/** Path prefixes that are the server's own; everything else may be the embedding program's. */
const OWN = /^\/(?:v1|livez|readyz|metrics|fusewire)(?:[/?]|$)/

/** The path and query of a request target, which may be in absolute form (RFC 9112 section 3.2.2). */
const originForm = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, '')

export const isOwnPath = (target: string): boolean => OWN.test(originForm(target))

/** The methods of each path, so that the wrong one is told apart from a wrong path (RFC 9110 section 15.5.6). */
export class KnownPaths {
  readonly #methods = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** `path` as routes are written: `/v1/channels/:channel/history`. */
  add(path: string, methods: string | readonly string[]): void {
    let known = this.#methods.get(path)
    if (!known) {
      known = { pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`), methods: new Set() }
      this.#methods.set(path, known)
    }
    for (const method of [methods].flat()) known.methods.add(method)
  }

  /** What to answer for a request that no route takes. `allow` is there when the path has other methods. */
  refuse(target: string): { readonly error: FusewireError; readonly allow?: string } {
    const path = originForm(target).replace(/[?#].*$/, '')
    for (const { pattern, methods } of this.#methods.values()) {
      if (!pattern.test(path)) continue
      const allow = [...methods].sort().join(', ')
      return { error: new FusewireError('method_not_allowed', `this path takes ${allow}`), allow }
    }
    return { error: new FusewireError('not_found', 'there is nothing at this path') }
  }
}
