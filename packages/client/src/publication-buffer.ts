import { ClientError } from './client-error.ts'

/** What lies between a channel and a `for await` loop. */
export class PublicationBuffer<Item> {
  readonly #limit: number
  readonly #items: Item[] = []
  #end: { readonly error: ClientError | undefined } | undefined
  #wake: () => void = () => {}

  /** A loop that lets more than `limit` items wait gets the error `buffer_overrun`. */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(item: Item): void {
    if (this.#end) return
    if (this.#items.length < this.#limit) this.#items.push(item)
    else {
      // The loop shall not believe that what it has yet to read is complete.
      this.#items.length = 0
      this.end(new ClientError('buffer_overrun', `more than ${this.#limit} publications waited`))
    }
    this.#wake()
  }

  /** No more items come; those that wait can still be taken. */
  end(error?: ClientError): void {
    this.#end ??= { error }
    this.#wake()
  }

  /** Waits for the next item; undefined at the end. */
  async take(): Promise<Item | undefined> {
    while (this.#items.length === 0) {
      if (this.#end?.error) throw this.#end.error
      if (this.#end) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#items.shift()
  }
}
