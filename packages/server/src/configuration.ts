// The entry of what reads, checks and explains the configuration: whoever starts no server loads no more of the package.
export { checkFiles } from './check-files.ts'
export { ConfigurationError, type ConfigurationProblem } from './config/configuration-error.ts'
export {
  OPTION_DESCRIPTIONS,
  type OptionDescription,
  type OptionKind,
  type ValueDescription,
} from './config/describe-options.ts'
export { nearestKey } from './config/nearest-key.ts'
export { optionWarnings } from './config/option-warnings.ts'
export type { FusewireInput, FusewireOptions, OptionName } from './config/options.ts'
export { resolveOptions } from './config/resolve-options.ts'
export type { RuleInput, RuleOptions } from './config/rule-options.ts'
export { environmentSource } from './config/sources/environment-source.ts'
export { type FlagValue, flagSource } from './config/sources/flag-source.ts'
export { mergeSources, resolveSources } from './config/sources/resolve-sources.ts'
export type { Source } from './config/sources/source.ts'
export { yamlSource } from './config/sources/yaml-source.ts'
export { workerCount } from './config/worker-options.ts'
