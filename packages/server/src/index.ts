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
export { checkFiles } from './check-files.ts'
export { ConfigurationError, type ConfigurationProblem } from './config/configuration-error.ts'
export {
  OPTION_DESCRIPTIONS,
  type OptionDescription,
  type OptionKind,
  type ValueDescription,
} from './config/describe-options.ts'
export type { HookInput } from './config/hook-options.ts'
export { nearestKey } from './config/nearest-key.ts'
export type { FusewireInput, FusewireOptions, OptionName } from './config/options.ts'
export { resolveOptions } from './config/resolve-options.ts'
export type { RuleInput, RuleOptions } from './config/rule-options.ts'
export { environmentSource } from './config/sources/environment-source.ts'
export { type FlagValue, flagSource } from './config/sources/flag-source.ts'
export { mergeSources, resolveSources } from './config/sources/resolve-sources.ts'
export type { Source } from './config/sources/source.ts'
export { yamlSource } from './config/sources/yaml-source.ts'
export { type CreateOptions, createFusewire, type Fusewire, type ListenOptions, type PublishOptions } from './fusewire.ts'
export type { DecisionHandler, NoticeHandler } from './hooks/handler-target.ts'
export type { Listening } from './listening.ts'
export { VERSION } from './version.ts'
export { Worker } from './workers/worker.ts'
export type { WorkerCommand } from './workers/worker-process.ts'
export { Workers, WorkersError, workerCount } from './workers/workers.ts'
