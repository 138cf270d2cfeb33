/** `npm run build`: the packages, the demo's server and its page, as far as they are stale; and what the client weighs. */
import { buildWorkspace } from './workspace-build.ts'

buildWorkspace()
await import('../packages/client/scripts/size.ts')
