/** Wrapped, because a browser's `fetch` must not be called as a method of another object. */
export const findFetch = (): ((url: string, init: RequestInit) => Promise<Response>) | undefined =>
  globalThis.fetch && ((url, init) => globalThis.fetch(url, init))
