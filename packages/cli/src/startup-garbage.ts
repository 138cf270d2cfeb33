import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type CollectGarbage = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

/**
 * Collects once what starting has left behind, for about 100 ms. Modules stay once they are loaded, which V8 takes for the way of all
 * objects: it has 32 MB for new ones by then, and keeps them. Afterwards that room begins with next to nothing and grows as needed.
 */
export const collectStartupGarbage = (): void => {
  // Node has no other way to it than this flag, which counts for contexts that are made while it is set.
  setFlagsFromString('--expose-gc')
  const collect: CollectGarbage = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', flavor: 'last-resort' })
}
