import type { Member, Publication } from '@fusewire/protocol'
import type { Terminal } from './terminal.ts'

const clock = (time: number): string => new Date(time).toTimeString().slice(0, 8)

const nameOf = ({ user, session }: Member): string => user ?? `anonymous ${session.slice(0, 6)}`

/** Prints what comes: lines for people on a terminal, one JSON object a line elsewhere. */
export class SubscriptionPrinter {
  readonly #terminal: Terminal
  readonly #json: boolean

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#json = json || !terminal.interactive
  }

  publication(channel: string, publication: Publication): void {
    if (this.#json) {
      this.#print({ type: 'publication', channel, ...publication })
      return
    }
    const { colors } = this.#terminal
    const { offset, data, tags, sender, time } = publication
    const labels = Object.entries(tags ?? {}).map(([name, value]) => `${name}=${value}`)
    const parts = [
      colors.dim(clock(time)),
      `${colors.cyan(channel)} ${colors.dim(`#${offset}`)}`,
      ...(sender ? [colors.green(nameOf(sender))] : []),
      JSON.stringify(data),
      ...(labels.length > 0 ? [colors.dim(labels.join(' '))] : []),
    ]
    this.#terminal.print(parts.join('  '))
  }

  presence(type: 'join' | 'leave', channel: string, member: Member): void {
    if (this.#json) {
      this.#print({ type, channel, member })
      return
    }
    const { colors } = this.#terminal
    const verb = type === 'join' ? 'joined' : 'left'
    this.#terminal.print(`${colors.dim(clock(Date.now()))}  ${colors.cyan(channel)}  ${colors.green(nameOf(member))} ${verb}`)
  }

  #print(event: object): void {
    this.#terminal.print(JSON.stringify(event))
  }
}
