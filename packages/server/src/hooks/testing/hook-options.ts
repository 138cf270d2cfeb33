import type { HookInput } from '../../config/hook-options.ts'
import { resolveOptions } from '../../config/resolve-options.ts'
import type { HooksOptions } from '../create-hooks.ts'
import { HOOK_SECRET } from './test-backend.ts'

/** The options of a server with these hooks. */
export const hookOptionsOf = (hooks: readonly HookInput[] = [], more: Partial<HooksOptions> = {}): HooksOptions => ({
  ...resolveOptions({
    development: true,
    hookSecrets: [HOOK_SECRET],
    hooks: hooks.map((hook) => ({ ...hook, events: [...hook.events] })),
  }),
  ...more,
})
