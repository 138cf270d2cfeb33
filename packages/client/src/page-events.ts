/**
 * What a page, or a worker, tells about its network and its life. `doubt`: it is looked at again, after a sleep perhaps; `suspend`: it
 * goes into the back/forward cache, which an open connection would keep it out of; `close`: it goes for good.
 */
export type PageEvent = 'online' | 'offline' | 'doubt' | 'suspend' | 'close'

/** Listens where there is a page; returns what takes the listeners off. */
export const watchPage = (tell: (event: PageEvent) => void): (() => void) => {
  const controller = new AbortController()
  const { signal } = controller
  const on = (type: string, handle: (event: Event) => void): void => globalThis.addEventListener?.(type, handle, { signal })
  on('online', () => tell('online'))
  on('offline', () => tell('offline'))
  on('pageshow', (event) => (event as PageTransitionEvent).persisted && tell('online'))
  on('pagehide', (event) => tell((event as PageTransitionEvent).persisted ? 'suspend' : 'close'))
  const page = globalThis.document
  page?.addEventListener('visibilitychange', () => page.visibilityState === 'visible' && tell('doubt'), { signal })
  return () => controller.abort()
}
