import type { Awaitable, Broker, BrokerListener, SessionStore, SessionStoreListener } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'

/**
 * How a node stands to what it shares with others. `away`: it cannot reach it, and hears nothing. `still`: it is stopped; what it asks,
 * and what it is told, waits until it goes on. `dead`: nothing of it happens any more.
 */
export type LineState = 'fine' | 'away' | 'still' | 'dead'

/** Between one node and its stores. */
export class NodeLine {
  #state: LineState = 'fine'
  /** What goes on when the node does. */
  #waiting: (() => void)[] = []
  #sessions: SessionStoreListener | undefined
  readonly #onBack: (() => void)[] = []

  get state(): LineState {
    return this.#state
  }

  become(state: LineState): void {
    const before = this.#state
    if (before === 'dead' || before === state) return
    this.#state = state
    if (state === 'still' || state === 'dead') return
    if (state === 'fine' && before === 'away') for (const back of this.#onBack) back()
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  broker(broker: Broker): Broker {
    const wanted = new Set<string>()
    let listener: BrokerListener | undefined
    this.#onBack.push(() => {
      for (const channel of wanted) listener?.interrupted(channel)
    })
    return {
      ...this.calls(broker),
      start: (given) => {
        listener = given
        return broker.start({
          publication: (...parameters) => this.#hear(() => given.publication(...parameters)),
          interrupted: (channel) => this.#hear(() => given.interrupted(channel)),
          announcement: (message) => this.#hear(() => given.announcement(message)),
        })
      },
      // Once it is wanted it comes as soon as the line is back.
      subscribe: (channel) => {
        wanted.add(channel)
        const subscribed = broker.subscribe(channel)
        return this.#state === 'fine' ? subscribed : this.#call(() => subscribed)
      },
      unsubscribe: (channel) => {
        wanted.delete(channel)
        return broker.unsubscribe(channel)
      },
    }
  }

  sessionStore(store: SessionStore): SessionStore {
    return {
      ...this.calls(store),
      start: (listener: SessionStoreListener) => {
        this.#sessions = {
          lost: (session) => this.#hear(() => listener.lost(session)),
          due: () => this.#hear(() => listener.due()),
        }
        return store.start(this.#sessions)
      },
    }
  }

  /** The node is told that sessions have come due, whether there are any or not. */
  tellDue(): void {
    this.#sessions?.due()
  }

  /** The port, whose calls go over this line. */
  calls<Port extends object>(port: Port): Port {
    const entries = methodsOf(port).map((name) => {
      const method = Reflect.get(port, name) as (...parameters: unknown[]) => unknown
      return [name, (...parameters: unknown[]) => this.#call(() => Reflect.apply(method, port, parameters))]
    })
    return Object.fromEntries(entries) as Port
  }

  #call<T>(work: () => Awaitable<T>): Awaitable<T> {
    if (this.#state === 'fine') {
      const answer = work()
      return answer instanceof Promise ? this.#answered(answer) : answer
    }
    if (this.#state === 'away') return Promise.reject(new FusewireError('broker_unavailable'))
    return new Promise((resolve, reject) => {
      if (this.#state === 'still')
        this.#waiting.push(() =>
          Promise.resolve()
            .then(() => this.#call(work))
            .then(resolve, reject),
        )
    })
  }

  /** The answer comes over the line too. */
  #answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const arrive = (go: () => void): void => {
        if (this.#state === 'fine') go()
        else if (this.#state === 'away') reject(new FusewireError('broker_unavailable'))
        else if (this.#state === 'still') this.#waiting.push(() => arrive(go))
      }
      answer.then(
        (value) => arrive(() => resolve(value)),
        (error: unknown) => arrive(() => reject(error)),
      )
    })
  }

  #hear(tell: () => void): void {
    if (this.#state === 'fine') tell()
    else if (this.#state === 'still') this.#waiting.push(() => this.#hear(tell))
  }
}

/** Of an object, or of the class that it is of. */
const methodsOf = (port: object): string[] => {
  const names = new Set<string>()
  for (let at: object | null = port; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at))
      if (name !== 'constructor' && typeof Reflect.get(port, name) === 'function') names.add(name)
  return [...names]
}
