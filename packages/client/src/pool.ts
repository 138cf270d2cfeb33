/** The connections that Node's own fetch and WebSocket share: a dispatcher of undici, of which Node has a copy inside. */
export interface Pool {
  dispatch(options: object, handler: unknown): boolean
  destroy(): Promise<unknown>
}

/** Where undici keeps the pool that is used by default, the newer interface first. */
const SHARED = ['undici.globalDispatcher.2', 'undici.globalDispatcher.1']

/** Undefined where there is none, and before Node has made it: when it is asked for one of the classes that use it. */
export const sharedPool = (): Pool | undefined =>
  SHARED.map((name) => (globalThis as { [name: symbol]: Pool | undefined })[Symbol.for(name)]).find(Boolean)

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
