/** `npm start`: builds what is stale, then becomes the demo's server, in this very process: Ctrl-C is its own. */
import { buildWorkspace } from './workspace-build.ts'

buildWorkspace()
await import(new URL('../examples/demo/dist/server/main.js', import.meta.url).href)
