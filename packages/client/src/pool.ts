/** The connections that Node's own fetch and WebSocket share: a dispatcher of undici, of which Node has a copy inside. */
export interface Pool {
  dispatch(options: object, handler: unknown): boolean
  destroy(): Promise<unknown>
}

const { process } = globalThis as { readonly process?: { readonly versions?: { readonly undici?: string } } }

/** Where Node's own undici keeps the pool that it uses by default. A program may have loaded another one, which leaves a pool for each. */
const SHARED = Symbol.for(`undici.globalDispatcher.${Number.parseInt(process?.versions?.undici ?? '', 10) >= 8 ? 2 : 1}`)

/** Undefined where there is none. Node makes it when it is asked for one of the classes that use it, such as `Headers`. */
export const sharedPool = (): Pool | undefined =>
  globalThis.Headers && (globalThis as { readonly [name: symbol]: Pool | undefined })[SHARED]

/**
 * A pool besides the shared one; undefined where there is none: in browsers, and where the program has put a pool of another kind
 * there, a proxy perhaps, which is not to be passed by.
 *
 * An HTTP/2 connection that has died without anybody saying so stays in its pool, and whatever is tried next waits on the same dead
 * line, for as long as TCP does: a quarter of an hour. Browsers find out by a ping; undici does not count its own.
 */
export const createPool = (): Pool | undefined => {
  const kind = sharedPool()?.constructor as (new () => Pool) | undefined
  return kind?.name === 'Agent' ? new kind() : undefined
}
