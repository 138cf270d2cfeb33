export interface AdmissionLimits {
  /** Connections of this node. Default 100,000. */
  readonly maxConnections: number
  /** Connections of one address. Default 10,000. */
  readonly maxConnectionsPerAddress: number
}

/** Counts connections, of the node and of each address: of HTTP/2, one TCP connection carries many. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #groupOf: (address: string) => string | undefined
  readonly #byGroup = new Map<string, number>()
  #total = 0

  /** `groupOf` says what counts as one address; undefined where it is not limited. */
  constructor(limits: AdmissionLimits, groupOf: (address: string) => string | undefined) {
    this.#limits = limits
    this.#groupOf = groupOf
  }

  /** Counts a connection in, or names the limit that it exceeds. */
  enter(address: string): keyof AdmissionLimits | undefined {
    if (this.#total >= this.#limits.maxConnections) return 'maxConnections'
    const group = this.#groupOf(address)
    if (group !== undefined) {
      const count = this.#byGroup.get(group) ?? 0
      if (count >= this.#limits.maxConnectionsPerAddress) return 'maxConnectionsPerAddress'
      this.#byGroup.set(group, count + 1)
    }
    this.#total++
    return undefined
  }

  /** A connection that had been counted in has ended. */
  leave(address: string): void {
    this.#total--
    const group = this.#groupOf(address)
    if (group === undefined) return
    const count = (this.#byGroup.get(group) ?? 0) - 1
    if (count > 0) this.#byGroup.set(group, count)
    else this.#byGroup.delete(group)
  }
}
