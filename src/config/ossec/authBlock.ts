/** The `<auth>` blocks of an ossec.conf: whether agents can enrol at this node, and by which rules the master decides. */
import { defaultEnrolmentRules, type EnrolmentRules, type ForceRules } from '../../domain/agents/replacement.js'
import { type AgentServices, authOptions, type EnrolmentServiceSettings, forceOptions, timeMs } from '../agentServiceOptions.js'
import type { Findings } from '../option.js'
import { BlockValues } from './blockValues.js'
import type { Element } from './ossecConf.js'

/** What Wazuh 4.14 knows in `<auth>` besides authOptions. */
const needlessNames = ['force_insert', 'force_time', 'remote_enrollment', 'limit_maxagents', 'key_request']
const names = Object.values(authOptions).map(({ name }) => name)
const forceNames = Object.values(forceOptions).map(({ name }) => name)

const forceRules = (values: BlockValues): ForceRules => {
  const disconnected = timeMs(values.value(forceOptions.disconnectedTime))
  const isAsked = values.element(forceOptions.disconnectedTime.name)?.attributes.get('enabled') ?? 'yes'
  if (isAsked !== 'yes' && isAsked !== 'no')
    values.mistake(`<${forceOptions.disconnectedTime.name} enabled="${isAsked.slice(0, 100)}">: the attribute must be yes or no`)
  values.reportOthers(forceNames, [])
  return {
    enabled: values.value(forceOptions.enabled),
    keyMismatch: values.value(forceOptions.keyMismatch),
    disconnectedMs: isAsked === 'no' ? undefined : disconnected,
    afterRegistrationMs: timeMs(values.value(forceOptions.afterRegistrationTime)),
  }
}

const serviceOf = (values: BlockValues): EnrolmentServiceSettings => ({
  port: values.value(authOptions.port),
  ipv6: values.value(authOptions.ipv6),
  usesSourceIp: values.value(authOptions.usesSourceIp),
  usesPassword: values.value(authOptions.usesPassword),
  ciphers: values.value(authOptions.ciphers),
  agentCaPath: values.value(authOptions.agentCaPath),
  verifiesHost: values.value(authOptions.verifiesHost),
  certificatePath: values.value(authOptions.certificatePath) || authOptions.certificatePath.fallback,
  keyPath: values.value(authOptions.keyPath) || authOptions.keyPath.fallback,
  allowHigherVersions: values.value(authOptions.allowHigherVersions),
})

/** As Wazuh reads it: the last value of an option in all blocks counts, and a block without `<disabled>` is on. */
export const readAuthBlock = (
  file: string,
  blocks: readonly (readonly Element[])[],
  findings: Findings,
): Pick<AgentServices, 'enrolment' | 'enrolmentRules'> => {
  if (blocks.length === 0) return { enrolment: undefined, enrolmentRules: defaultEnrolmentRules }
  const values = new BlockValues(file, '<auth>', blocks.flat(), findings)
  values.value(authOptions.autoNegotiate)
  values.reportOthers([...names, 'force'], needlessNames)
  const enrolmentRules: EnrolmentRules = { force: forceRules(values.within('force')), purge: values.value(authOptions.purge) }
  const isDisabled = values.value(authOptions.disabled)
  const enrolment = serviceOf(values)
  return { enrolment: isDisabled ? undefined : enrolment, enrolmentRules }
}
