export type {
  Answers,
  Capability,
  ChannelState,
  DecidingEvent,
  HistoryPage,
  HistoryQuery,
  InformingEvent,
  Log,
  Notices,
  Published,
  Questions,
  RpcCaller,
  RpcHandler,
  Target,
} from '@fusewire/engine'
export { ConflictError } from '@fusewire/engine'
export { FusewireError } from '@fusewire/protocol'
export type { HttpHandler } from './api/create-api.ts'
export { type ChannelToken, type ConnectToken, type SigningKey, type SigningOptions, signToken } from './auth/sign-token.ts'
export { ConfigurationError, type ConfigurationProblem } from './config/configuration-error.ts'
export type { HookInput } from './config/hook-options.ts'
export type { FusewireInput, FusewireOptions, OptionName } from './config/options.ts'
export { resolveOptions } from './config/resolve-options.ts'
export type { RuleInput, RuleOptions } from './config/rule-options.ts'
export { type CreateOptions, createFusewire, type Fusewire, type ListenOptions, type PublishOptions } from './fusewire.ts'
export type { DecisionHandler, NoticeHandler } from './hooks/handler-target.ts'
export type { Listening } from './listening.ts'
export { VERSION } from './version.ts'
