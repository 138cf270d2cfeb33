/** `npm run build`: the packages, the demo's server and its page, as far as they are stale. */
import { buildWorkspace } from './workspace-build.ts'

buildWorkspace()
