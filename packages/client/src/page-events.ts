/** What a page, or a worker, tells about its network and its life. */
export interface PageListener {
  online(): void
  offline(): void
  visible(): void
  /** The page goes into the back/forward cache, which an open connection would keep it out of. */
  suspend(): void
  /** The page goes for good. */
  leave(): void
}

/** Listens where there is a page; returns what takes the listeners off. */
export const watchPage = (listener: PageListener): (() => void) => {
  const controller = new AbortController()
  const { signal } = controller
  const on = (type: string, handle: (event: Event) => void): void => globalThis.addEventListener?.(type, handle, { signal })
  on('online', () => listener.online())
  on('offline', () => listener.offline())
  on('pageshow', (event) => (event as PageTransitionEvent).persisted && listener.online())
  on('pagehide', (event) => ((event as PageTransitionEvent).persisted ? listener.suspend() : listener.leave()))
  const page = globalThis.document
  page?.addEventListener('visibilitychange', () => page.visibilityState === 'visible' && listener.visible(), { signal })
  return () => controller.abort()
}
