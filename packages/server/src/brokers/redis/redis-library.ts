import { createHash } from 'node:crypto'

/**
 * A part of the function library. Its Lua may use what the parts before it have declared `local`, and registers a function with
 * `fusewire_register(name, flags, callback)`.
 */
export type LibraryPart = string

const register = (name: string): string => `
local function fusewire_register(name, flags, callback)
  redis.register_function{function_name = '${name}_' .. name, callback = callback, flags = flags}
end
`

/**
 * Our functions as one library. The names of a library and of its functions, which are unique over a whole server, have a hash of its
 * text: nodes of different versions each find their own.
 */
export class RedisLibrary {
  readonly name: string
  /** What FUNCTION LOAD is given. */
  readonly code: string

  constructor(parts: readonly LibraryPart[]) {
    const body = parts.join('\n')
    this.name = `fusewire_${createHash('sha256').update(body).digest('hex').slice(0, 16)}`
    this.code = `#!lua name=${this.name}\n${register(this.name)}${body}`
  }

  /** What FCALL is given for a function of that name. */
  functionName(name: string): string {
    return `${this.name}_${name}`
  }
}
