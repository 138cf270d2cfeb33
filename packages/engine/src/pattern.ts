/**
 * Compiles a channel pattern: `*` stands for one or more characters other than `:`, `**` for one or more of any, everything else
 * for itself. `chat:*` matches `chat:lobby`, not `chat:lobby:typing`.
 */
export const compilePattern = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.+' : '[^:]+'))}$`,
    'su',
  )
