import { type FSWatcher, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'

export interface WatchFilesOptions {
  readonly paths: readonly string[]
  /** Called when something may have changed: often for nothing, never too rarely. */
  readonly onChange: () => void
  /** Calls follow the last event of a burst by this much, so that a certificate and its key are both written. */
  readonly debounceMs: number
  /** Also called this often, for file systems that tell nothing (NFS, some container mounts). */
  readonly pollMs: number
}

/**
 * Watches the folders of files, not the files: a renewal replaces them by renaming, and a Kubernetes secret by turning the
 * `..data` link beside them, which a watched file would miss.
 */
export const watchFiles = ({ paths, onChange, debounceMs, pollMs }: WatchFilesOptions): (() => void) => {
  const watchers = new Map<string, FSWatcher>()
  let pending: NodeJS.Timeout | undefined

  const schedule = (): void => {
    clearTimeout(pending)
    pending = setTimeout(onChange, debounceMs)
    pending.unref()
  }

  const watchFolder = (folder: string): void => {
    if (watchers.has(folder)) return
    try {
      const watcher = watch(folder, { persistent: false }, schedule)
      watchers.set(folder, watcher)
      // The folder has gone, or the system has no watches left: the poll goes on, and tries again to watch.
      watcher.on('error', () => {
        watcher.close()
        watchers.delete(folder)
      })
    } catch {
      // As above.
    }
  }

  const folders = new Set(paths.map((path) => dirname(resolve(path))))
  const watchFolders = (): void => folders.forEach(watchFolder)
  watchFolders()
  const poll = setInterval(() => {
    watchFolders()
    onChange()
  }, pollMs)
  poll.unref()

  return () => {
    clearTimeout(pending)
    clearInterval(poll)
    for (const watcher of watchers.values()) watcher.close()
    watchers.clear()
  }
}
