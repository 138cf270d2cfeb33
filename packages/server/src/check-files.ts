import { accessSync, constants } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PublicKeys } from './auth/public-keys.ts'
import { explainSnapshot } from './brokers/snapshot-problem.ts'
import { ConfigurationError, type ConfigurationProblem } from './config/configuration-error.ts'
import type { FusewireOptions } from './config/options.ts'
import { readOptionFile } from './config/read-option-file.ts'
import { parseCertificates, readPair } from './tls/certificate-pair.ts'

const problemsOf = (check: () => unknown): readonly ConfigurationProblem[] => {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

const assertFolder = (snapshotFile: string): void => {
  try {
    accessSync(dirname(resolve(snapshotFile)), constants.W_OK)
  } catch (error) {
    throw explainSnapshot(snapshotFile, error)
  }
}

/**
 * Reads the files that the options name, as a start would, and changes nothing.
 * @throws {@link ConfigurationError} with everything that is wrong with them.
 */
export const checkFiles = (options: FusewireOptions): void => {
  const { tls, tlsCertFile, tlsKeyFile, tlsClientCaFile, jwtPublicKeyFile, brokerCaFile, natsCredentialsFile, snapshotFile } =
    options
  const problems = [
    ...problemsOf(
      () => tls && tlsCertFile !== undefined && tlsKeyFile !== undefined && readPair(tlsCertFile, tlsKeyFile, Date.now()),
    ),
    ...problemsOf(
      () =>
        tlsClientCaFile !== undefined &&
        parseCertificates(readOptionFile(tlsClientCaFile, 'tlsClientCaFile'), 'tlsClientCaFile', tlsClientCaFile),
    ),
    ...problemsOf(
      () =>
        jwtPublicKeyFile !== undefined && new PublicKeys(readOptionFile(jwtPublicKeyFile, 'jwtPublicKeyFile'), jwtPublicKeyFile),
    ),
    ...problemsOf(
      () =>
        brokerCaFile !== undefined &&
        parseCertificates(readOptionFile(brokerCaFile, 'brokerCaFile'), 'brokerCaFile', brokerCaFile),
    ),
    ...problemsOf(() => natsCredentialsFile !== undefined && readOptionFile(natsCredentialsFile, 'natsCredentialsFile')),
    ...problemsOf(() => snapshotFile !== undefined && assertFolder(snapshotFile)),
  ]
  if (problems.length > 0) throw new ConfigurationError(problems)
}
