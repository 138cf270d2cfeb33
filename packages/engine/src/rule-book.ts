import { compilePattern, type Pattern } from './pattern.ts'
import type { ChannelRule } from './rule.ts'

/** How many channels' rules are remembered, so that a publish to a known channel compiles and matches nothing. */
const MAX_REMEMBERED = 10_000

/** The rules in their order; the first whose pattern matches decides, the fallback where none does. */
export class RuleBook {
  readonly #rules: { readonly pattern: Pattern; readonly rule: ChannelRule }[] = []
  readonly #fallback: ChannelRule
  readonly #known = new Map<string, ChannelRule>()

  constructor(fallback: ChannelRule) {
    this.#fallback = fallback
  }

  add(pattern: string, rule: ChannelRule): void {
    this.#rules.push({ pattern: compilePattern(pattern), rule })
    this.#known.clear()
  }

  of(channel: string): ChannelRule {
    const known = this.#known.get(channel)
    if (known) return known
    const rule = this.#rules.find(({ pattern }) => pattern.test(channel))?.rule ?? this.#fallback
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear()
    this.#known.set(channel, rule)
    return rule
  }
}
