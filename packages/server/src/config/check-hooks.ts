import { CHANNEL_EVENTS, isInforming } from '../hooks/hook-events.ts'
import { hookUrlProblem } from '../hooks/hook-url.ts'
import type { ConfigurationProblem } from './configuration-error.ts'
import type { FusewireOptions } from './options.ts'

type Hook = FusewireOptions['hooks'][number]

const checkSecrets = ({ hooks, hookSecrets, development }: FusewireOptions): ConfigurationProblem[] =>
  hooks.length === 0 || hookSecrets.length > 0 || development
    ? []
    : [
        {
          option: 'hookSecrets',
          message:
            'is empty, so that a backend could not tell the calls of this server from forged ones; set one, for example the output of: echo "whsec_$(openssl rand -base64 32)"',
        },
      ]

const checkUrl = ({ url }: Hook, path: string, { development, hookAllowHttp }: FusewireOptions): ConfigurationProblem[] => {
  const message = hookUrlProblem(url, development || hookAllowHttp)
  return message === undefined ? [] : [{ option: `${path}.url`, message }]
}

/** Whether the first of two hooks takes every `event` of the second away from it. */
const isTakenBy = (before: Hook, hook: Hook, event: Hook['events'][number]): boolean =>
  before.events.includes(event) &&
  (!CHANNEL_EVENTS.includes(event) || before.channels === undefined || before.channels === hook.channels)

const checkEvents = (hook: Hook, path: string, earlier: readonly Hook[]): ConfigurationProblem[] =>
  hook.events.flatMap((event, index) => {
    const option = `${path}.events[${index}]`
    if (hook.events.indexOf(event) !== index) return [{ option, message: `${event} is named twice; remove one of them` }]
    const before = isInforming(event) ? -1 : earlier.findIndex((candidate) => isTakenBy(candidate, hook, event))
    return before < 0
      ? []
      : [{ option, message: `${event} is decided by hooks[${before}], which comes first; remove one of them` }]
  })

/** A pattern of channels has to have something to match. */
export const channelsProblem = ({ events, channels }: Pick<Hook, 'events'> & { readonly channels?: string | undefined }) =>
  channels === undefined || events.some((event) => CHANNEL_EVENTS.includes(event))
    ? undefined
    : `none of ${events.join(', ')} is about a channel; leave the channels out`

const checkChannels = (hook: Hook, path: string): ConfigurationProblem[] => {
  const message = channelsProblem(hook)
  return message === undefined ? [] : [{ option: `${path}.channels`, message }]
}

/** Finds what is wrong with the hooks together. */
export const checkHooks = (options: FusewireOptions): ConfigurationProblem[] => [
  ...options.hooks.flatMap((hook, index) => {
    const path = `hooks[${index}]`
    return [
      ...checkUrl(hook, path, options),
      ...checkEvents(hook, path, options.hooks.slice(0, index)),
      ...checkChannels(hook, path),
    ]
  }),
  ...checkSecrets(options),
]
